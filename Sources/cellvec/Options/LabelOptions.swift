import ArgumentParser
import Storage
import Training

/// What cells are labelled with, and which of them must not be both learned from and tested on.
struct LabelOptions: ParsableArguments {
  @Option(
    name: .customLong("labels"), help: ArgumentHelp("Field with the classes to learn.", valueName: "field"))
  private(set) var field: String

  @Option(
    help: ArgumentHelp(
      "Field kept on one side of every test; default: image.", valueName: "field"))
  private var group: String?

  @Flag(help: "Do not group. Scores will look too good.")
  private var ungrouped = false

  func validate() throws {
    if ungrouped && group != nil { throw ValidationError("--group and --ungrouped exclude each other") }
  }

  /// Whether the grouping was asked for, or that there be none.
  var isGroupingGiven: Bool { group != nil || ungrouped }

  var grouping: FoldGrouping {
    if ungrouped { return .none }
    guard let group, group != FoldGrouping.imageWord else { return .image }
    return .field(group)
  }

  /// What to say of texts that look like lists of another program, each of which is a class of its own.
  func adviceOnLists(in snapshot: borrowing Snapshot) throws -> String? {
    guard let labels = snapshot.field(named: field), labels.type == .string,
      let text = try snapshot.distinctTexts(labels).first(where: { $0.text.contains("|") })?.text
    else { return nil }
    return
      "\"\(text)\" is one label; where several are meant, drop the field with cellvec fields drop, and read its table again with --type \(field)=list"
  }

  /// What to say of a grouping that was not asked for.
  var advice: String? {
    !isGroupingGiven
      ? "cells of one image stay together; group by what the labels depend on with --group, such as gene"
      : nil
  }
}
