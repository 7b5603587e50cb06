import Faults
import Glibc
import TestSupport
import Testing

@testable import Formats

@Suite struct ImageFoldersTests {
  private func withFolders(_ body: (String) throws -> Void) throws {
    try withTemporaryDirectory { folder in
      for name in ["plate", "plate/sub", "plates", "gone", "copy", "copy/plate", "db"] {
        #expect(mkdir("\(folder)/\(name)", 0o755) == 0)
      }
      for name in ["plate/a.png", "copy/plate/a.png", "plates/a.png", "plates/plate_a.png"] {
        try AtomicFile(path: "\(folder)/\(name)").commit()
      }
      #expect(symlink("plate", "\(folder)/way") == 0)
      try body(folder)
    }
  }

  private func expectRefusal(_ body: () throws -> Void) {
    let fault = #expect(throws: Fault.self) { try body() }
    #expect(fault?.kind == .usage && fault?.remedy == "give a place outside it")
  }

  @Test func aRelativePathIsTakenForAllThatEndInIt() throws {
    try withFolders { folder in
      for path in ["plate/a.png", "./plate//a.png", "../plate/a.png", "x/../plate/./a.png"] {
        let images = ImageFolders([path], database: "\(folder)/none/db")
        for output in ["plate/x", "plate/sub/x", "way/new/x", "copy/plate/x", "plate/../plate/a.png"] {
          expectRefusal { try images.requireKept(by: ["\(folder)/none", "\(folder)/\(output)"]) }
        }
        try images.requireKept(by: ["x", "plates/x", "gone/x", "copy/x"].map { "\(folder)/\($0)" })
      }
      // The name alone tells nothing of the folder, but that the image lies in it.
      let named = ImageFolders(["./a.png"], database: "\(folder)/none/db")
      expectRefusal { try named.requireKept(by: ["\(folder)/plates/x"]) }
      try named.requireKept(by: ["\(folder)/x"])
    }
  }

  @Test func aRelativePathIsFoundFromTheFolderOfItsDatabase() throws {
    try withFolders { folder in
      let images = ImageFolders(["way/gone.png", "way/a.png"], database: "\(folder)/db")
      expectRefusal { try images.requireKept(by: ["\(folder)/plate/sub/x"]) }
      try images.requireKept(by: ["\(folder)/copy/plate/x", "\(folder)/db/x"])
    }
  }

  @Test func foldersOfImagesAreKeptWhereOneIsThere() throws {
    try withFolders { folder in
      let images = ImageFolders(
        ["gone/b.png", "plate/c.png", "plate/a.png"].map { "\(folder)/\($0)" }, database: "\(folder)/db")
      for output in ["plate/x", "plate/sub/x", "way/new/x"] {
        expectRefusal { try images.requireKept(by: ["\(folder)/\(output)"]) }
      }
      try images.requireKept(by: ["gone/x", "plates/x", "x", "copy/plate/x"].map { "\(folder)/\($0)" })
    }
  }

  @Test func aFolderIsKeptForWhatItHas() throws {
    try withFolders { folder in
      let (paths, mask) = (["\(folder)/plate/a.png"], "a mask of an image that is in the database")
      for (images, kind) in [
        (ImageFolders(paths, database: "\(folder)/db"), "an image that is in the database"),
        (ImageFolders(paths, kind: mask, database: "\(folder)/db"), mask),
      ] {
        let fault = #expect(throws: Fault.self) { try images.requireKept(by: ["\(folder)/plate/x"]) }
        #expect(fault?.problem.hasSuffix("/plate, which has \(kind)") == true)
      }
    }
  }

  @Test func relativePathsLeadFromThreeFolders() {
    #expect(
      rememberedPlaces(of: ["a/b", "/c"], database: "x/db")
        == [["a/b", "/c"], ["x/db/a/b", "/c"], ["x/db/../a/b", "/c"]])
    #expect(rememberedPlaces(of: ["/a", "/b"], database: "db") == [["/a", "/b"]])
  }
}
