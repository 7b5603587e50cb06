import Faults
import TestSupport
import Testing

@testable import Storage

@Suite struct FieldsAndSpacesTests {
  @Test func aDroppedFieldLeavesNothing() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db")
      for name in ["labels", "dose"] {
        let field = try #require(world.writer.database.read { $0.fields }.first { $0.name == name })
        try world.writer.drop(field)
        try world.writer.database.read { snapshot in
          #expect(snapshot.check() == [])
          #expect(snapshot.field(named: name) == nil)
          for (table, prefix) in [
            (Table.texts, Key()), (.textIDs, Key()), (.numbers, Key()), (.sets, Key().appending(UInt8(3))),
            (.sets, Key().appending(UInt8(4))),
          ] {
            try snapshot.transaction.forEach(table, prefix: prefix.appending(field.id)) { _, _ in
              Issue.record("an entry of field \(name) in \(table.name)")
            }
          }
          try #expect(snapshot.cell(at: 7)?.values[field.id] == nil)
          try #expect(snapshot.cell(at: 7)?.values[0] == .string("g0"))
        }
      }
      // The number of the last field is free again; nothing of the old one shows in the new one.
      try world.writer.write { transaction in
        let field = try transaction.field(named: "grade", type: .string)
        #expect(field.id == 1)
        try transaction.setValues([field.id: .string("x")], of: 3)
      }
      try world.writer.database.read { snapshot in
        #expect(snapshot.check() == [])
        try #expect(snapshot.rows(snapshot.fields[1], equals: "x").toArray() == [3])
      }
    }
  }

  @Test func aFieldInTheMiddleLeavesAGapBehindWhichOthersFollow() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db")
      try world.writer.drop(world.writer.database.read { $0.fields[0] })
      let new = try world.writer.write { try $0.field(named: "new", type: .number) }
      #expect(new.id == 3)
      try world.writer.database.read { #expect($0.fields.map(\.name) == ["labels", "dose", "new"]) }
    }
  }

  @Test func namesOfFieldsAndSpacesChangeAndStayUnique() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db")
      let (gene, space) = try world.writer.database.read { ($0.fields[0], $0.spaces[1]) }
      try world.writer.write { transaction in
        try transaction.rename(gene, to: "Gene")
        try transaction.rename(space, to: "second")
      }
      for taken in ["dose", "Gene", ""] {
        let fault = #expect(throws: Fault.self) { try world.writer.write { try $0.rename(gene, to: taken) } }
        #expect(fault?.kind == .usage)
      }
      for taken in ["s", "second", ""] {
        #expect(throws: Fault.self) { try world.writer.write { try $0.rename(space, to: taken) } }
      }
      try world.writer.database.read { snapshot in
        #expect(snapshot.fields.map(\.name) == ["Gene", "labels", "dose"])
        try #expect(snapshot.rows(snapshot.fields[0], equals: "g2").count == 30)
        #expect(snapshot.spaces.map(\.name) == ["s", "second"])
        #expect(snapshot.check() == [])
      }
    }
  }

  @Test func aDroppedSpaceTakesItsVectorsOutcomesAndHeads() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db")
      let spaces = try world.writer.database.read { $0.spaces }
      try world.writer.write { transaction in
        for (name, space) in [("a", spaces[0]), ("b", spaces[1]), ("c", spaces[0])] {
          try transaction.saveHead(HeadRecord(name: name, space: space.id, summary: "{}", weights: [1]))
        }
      }
      try world.writer.write { try $0.drop(spaces[0]) }
      try world.writer.database.read { snapshot in
        #expect(snapshot.check() == [])
        #expect(snapshot.spaces == [spaces[1]])
        try #expect(snapshot.heads().map(\.name) == ["b"])
        try #expect(snapshot.allRows().count == 120)
        try #expect(snapshot.outcome(image: 0, space: spaces[0]) == nil)
        try #expect(snapshot.vector(of: 60, in: spaces[1]) == OperationsWorld.vectors(of: [60]))
        #expect(snapshot.transaction.count(.vectors) == 4)
      }
      let new = try world.writer.write { try $0.addSpace(name: "s", dimension: 3) }
      #expect(new.id == 2)
    }
  }

  @Test(arguments: ["a\nb", "\u{1B}[31m", "\u{85}", "\u{2028}", "x\u{0}"])
  func namesWithControlCharactersAreNotGiven(name: String) throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db")
      let (space, field) = try world.writer.database.read { ($0.spaces[0], $0.fields[0]) }
      func refuse(_ change: (inout WriteTransaction) throws -> Void) {
        let fault = #expect(throws: Fault.self) { try world.writer.write { try change(&$0) } }
        #expect(fault?.kind == .usage)
      }
      refuse { try $0.rename(space, to: name) }
      refuse { try $0.rename(field, to: name) }
      #expect(throws: Fault.self) { try HeadRecord.requireName(name) }
      try HeadRecord.requireName("µ \u{FF3F} 🧫")
    }
  }
}
