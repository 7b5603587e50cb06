extension LabelMap {
  /// The maps of the program by name, each the text of the file of that name in schema/labels.
  static let bundled = ["opencell-hpa": opencellHPA]

  private static let opencellHPA = """
    source,label,class
    OpenCell,nucleoplasm,nucleoplasm
    OpenCell,chromatin,nuclear domains
    OpenCell,nuclear_punctae,nuclear domains
    OpenCell,nucleolus_fc_dfc,nucleoli
    OpenCell,nucleolus_gc,nucleoli
    OpenCell,nuclear_membrane,nuclear membrane
    OpenCell,cytoplasmic,cytosol
    OpenCell,mitochondria,mitochondria
    OpenCell,golgi,Golgi apparatus
    OpenCell,er,endoplasmic reticulum
    OpenCell,centrosome,centrosome
    OpenCell,membrane,plasma membrane
    OpenCell,cell_contact,plasma membrane
    OpenCell,focal_adhesions,plasma membrane
    OpenCell,cytoskeleton,cytoskeleton
    OpenCell,vesicles,vesicles
    OpenCell,big_aggregates,
    HPA,Nucleoplasm,nucleoplasm
    HPA,Nuclear speckles,nuclear domains
    HPA,Nuclear bodies,nuclear domains
    HPA,Nucleoli,nucleoli
    HPA,Nucleoli fibrillar center,nucleoli
    HPA,Nucleoli rim,nucleoli
    HPA,Nuclear membrane,nuclear membrane
    HPA,Cytosol,cytosol
    HPA,Mitochondria,mitochondria
    HPA,Golgi apparatus,Golgi apparatus
    HPA,Endoplasmic reticulum,endoplasmic reticulum
    HPA,Centrosome,centrosome
    HPA,Microtubule organizing center,centrosome
    HPA,Plasma membrane,plasma membrane
    HPA,Cell Junctions,plasma membrane
    HPA,Cell junctions,plasma membrane
    HPA,Focal adhesion sites,plasma membrane
    HPA,Microtubules,cytoskeleton
    HPA,Actin filaments,cytoskeleton
    HPA,Intermediate filaments,cytoskeleton
    HPA,Vesicles,vesicles
    HPA,Peroxisomes,vesicles
    HPA,Endosomes,vesicles
    HPA,Lysosomes,vesicles
    HPA,Lipid droplets,vesicles
    HPA,Aggresome,
    HPA,Basal body,
    HPA,Centriolar satellite,
    HPA,Cleavage furrow,
    HPA,Cytokinetic bridge,
    HPA,Cytoplasmic bodies,
    HPA,Kinetochore,
    HPA,Microtubule ends,
    HPA,Midbody,
    HPA,Midbody ring,
    HPA,Mitotic chromosome,
    HPA,Mitotic spindle,
    HPA,Rods & rings,

    """
}
