import Dispatch
import Faults
import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Formats

@Suite struct OutputFilesTests {
  @Test func noFileOfADatabaseIsWrittenOver() {
    withTemporaryDirectory { folder in
      for name in ["data.mdb", "lock.mdb", "writer.lock"] {
        for path in ["\(folder)/\(name)", "\(folder)//\(name)"] {
          #expect(throws: Fault.self) { try AtomicFile(path: path).commit() }
          let fault = #expect(throws: Fault.self) { try NPYWriter(path: path, dimension: 3).close() }
          #expect(fault?.kind == .cannotCreate && fault?.remedy == "give another name")
        }
      }
    }
  }

  @Test func nothingIsMadeInTheFolderOfADatabase() throws {
    try withTemporaryDirectory { folder in
      #expect(mkdir("\(folder)/db", 0o755) == 0)
      #expect(mkdir("\(folder)/db/kept", 0o755) == 0)
      close(open("\(folder)/db/data.mdb", O_CREAT | O_WRONLY, 0o644))
      for path in ["db/out.npy", "db//report/report.html", "./db/a/b/c/", "db/../db/x", "db/kept/x"] {
        let fault = #expect(throws: Fault.self) {
          try requireSeparateFiles(outputs: ["\(folder)/\(path)"])
        }
        #expect(fault?.kind == .cannotCreate && fault?.remedy == "give a place outside it")
      }
      #expect(throws: Fault.self) { try AtomicFile(path: "\(folder)/db/out.npy").commit() }
      for path in ["\(folder)/out", "\(folder)/dbs/out", "out", "/out", "/"] {
        try requirePlaceOutsideDatabases(path)
      }
      // Where the folder of the database is named, it is not a place in it.
      try requirePlaceOutsideDatabases("\(folder)/db/")
    }
  }

  private func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  @Test func stagedFilesTakeTheirNamesTogether() throws {
    try withTemporaryDirectory { folder in
      let paths = ["a", "b", "page"].map { "\(folder)/\($0)" }
      for path in paths { try write([0], to: path) }
      func stage() throws -> StagedFiles {
        var files = StagedFiles()
        for path in paths { try files.add([1], at: path) }
        for path in paths { #expect(bytes(ofFile: path) == [0]) }
        return files
      }
      do { _ = try stage() }
      #expect(try names(in: folder) == ["a", "b", "page"])
      // Where one cannot have its name, what would lead to it is not there.
      let fault = #expect(throws: Fault.self) {
        let files = try stage()
        #expect(unlink(paths[1]) == 0 && mkdir(paths[1], 0o755) == 0)
        try files.commit()
      }
      #expect(fault?.subject == paths[1])
      #expect(try names(in: folder) == ["a", "b"] && bytes(ofFile: paths[0]) == [1])
      #expect(rmdir(paths[1]) == 0)
      for path in paths { try write([0], to: path) }
      try stage().commit()
      #expect(try names(in: folder) == ["a", "b", "page"])
      for path in paths { #expect(bytes(ofFile: path) == [1]) }
    }
  }

  @Test func outdatedFilesGoWithTheOlderOnes() throws {
    try withTemporaryDirectory { folder in
      let (page, old) = ("\(folder)/page", "\(folder)/old")
      for path in [page, old] { try write([0], to: path) }
      func stage() throws -> StagedFiles {
        var files = StagedFiles()
        for path in [old, "\(folder)/none"] { files.remove(path) }
        try files.add([1], at: page)
        return files
      }
      do { _ = try stage() }
      #expect(bytes(ofFile: page) == [0] && bytes(ofFile: old) == [0])
      try stage().commit()
      #expect(try names(in: folder) == ["page"] && bytes(ofFile: page) == [1])
    }
  }

  /// A folder in place of an outdated file stands for one that cannot be removed.
  @Test func anOutdatedFileThatStaysCostsNoOther() throws {
    try withTemporaryDirectory { folder in
      let (page, figure) = ("\(folder)/page", "\(folder)/figure")
      let (stuck, old) = ("\(folder)/stuck", "\(folder)/z")
      for path in [page, figure, old] { try write([0], to: path) }
      #expect(mkdir(stuck, 0o755) == 0)
      let fault = #expect(throws: Fault.self) {
        var files = StagedFiles()
        for path in [stuck, old] { files.remove(path) }
        for path in [figure, page] { try files.add([1], at: path) }
        try files.commit()
      }
      #expect(fault?.subject == stuck && fault?.problem.hasSuffix("; all new files are written") == true)
      #expect(try names(in: folder) == ["figure", "page", "stuck"])
      #expect(bytes(ofFile: page) == [1] && bytes(ofFile: figure) == [1])
    }
  }

  @Test func whatAKilledProcessHasLeftIsRemovedByTheNext() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/out"
      let left = "\(path).cellvec-1.partial"
      close(open(left, O_CREAT | O_WRONLY, 0o644))
      do {
        var file = try AtomicFile(path: path)
        #expect(try names(in: folder) == ["out.cellvec-1.partial"])
        try file.write([1, 2])
        try file.commit()
      }
      #expect(try names(in: folder) == ["out"] && bytes(ofFile: path) == [1, 2])
      close(open(left, O_CREAT | O_WRONLY, 0o644))
      do { _ = try AtomicFile(path: path) }
      #expect(try names(in: folder) == ["out"])
      // What is no file of ours stays, and is in nobody's way.
      #expect(symlink("elsewhere", left) == 0)
      try AtomicFile(path: path).commit()
      #expect(try names(in: folder) == ["out", "out.cellvec-1.partial"])
    }
  }

  @Test func aFileWhoseUnfinishedCopyIsAnothersIsNotWritten() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/out"
      var first = try AtomicFile(path: path)
      try first.write([1])
      #expect(unlink("\(path).cellvec-1.partial") == 0)
      var second = try AtomicFile(path: path)
      try second.write([2])
      var kind: Fault.Kind?
      do { try first.commit() } catch { kind = (error as? Fault)?.kind }
      #expect(kind == .inputOutput)
      #expect(try names(in: folder) == ["out.cellvec-1.partial"])
      try second.commit()
      #expect(try names(in: folder) == ["out"] && bytes(ofFile: path) == [2])
    }
  }

  @Test func writersOfOneFileDoNotMeet() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/out"
      var first = try AtomicFile(path: path)
      var second = try AtomicFile(path: path)
      try first.write([1])
      try second.write([2])
      #expect(try names(in: folder) == ["out.cellvec-1.partial", "out.cellvec-2.partial"])
      try second.commit()
      #expect(bytes(ofFile: path) == [2])
      try first.commit()
      #expect(try names(in: folder) == ["out"] && bytes(ofFile: path) == [1])

      let problems = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 300) { number in
        do {
          var file = try AtomicFile(path: path)
          try file.write([UInt8](repeating: UInt8(number % 251), count: 100))
          try file.commit()
        } catch { problems.withLock { $0.append("\(error)") } }
      }
      #expect(problems.withLock(\.self) == [])
      let content = try #require(bytes(ofFile: path))
      #expect(content.count == 100 && Set(content).count == 1)
      #expect(try names(in: folder) == ["out"])
    }
  }

  @Test func aNameIsThatOfTheFileThatIsOpenOrOfAnother() {
    withTemporaryDirectory { folder in
      let path = "\(folder)/file"
      let descriptor = open(path, O_CREAT | O_WRONLY, 0o644)
      defer { close(descriptor) }
      #expect(symlink("file", "\(folder)/way") == 0)
      #expect(FileIdentity.isName(path, of: descriptor))
      #expect(FileIdentity.isName("\(folder)/way", of: descriptor))
      #expect(!FileIdentity.isName("\(folder)/way", followingLinks: false, of: descriptor))
      #expect(rename(path, "\(folder)/moved") == 0)
      #expect(!FileIdentity.isName(path, of: descriptor))
      #expect(FileIdentity.isName("\(folder)/moved", of: descriptor))
      close(open(path, O_CREAT | O_WRONLY, 0o644))
      #expect(!FileIdentity.isName(path, of: descriptor))
      #expect(!FileIdentity.isName(path, of: -1))
    }
  }

  @Test func anOutputIsNoInputAndNoOtherOutput() throws {
    try withTemporaryDirectory { folder in
      try AtomicFile(path: "\(folder)/in").commit()
      #expect(symlink("in", "\(folder)/link") == 0)
      for output in ["\(folder)/in", "\(folder)/./in", "\(folder)/link"] {
        let fault = #expect(throws: Fault.self) {
          try requireSeparateFiles(outputs: [output], inputs: ["\(folder)/in"])
        }
        #expect(fault?.kind == .usage)
      }
      #expect(throws: Fault.self) {
        try requireSeparateFiles(outputs: ["\(folder)/new", "\(folder)/./new"])
      }
      #expect(throws: Fault.self) { try requireSeparateFiles(outputs: ["none/new", "none/new"]) }
      #expect(mkdir("\(folder)/read", 0o755) == 0 && mkdir("\(folder)/reader", 0o755) == 0)
      #expect(symlink("read", "\(folder)/way") == 0)
      for output in ["read/new", "read//a/b/new", "way/new", "reader/../read/new"] {
        for input in ["read", "way", "read/"] {
          let fault = #expect(throws: Fault.self) {
            try requireSeparateFiles(outputs: ["\(folder)/\(output)"], inputs: ["\(folder)/\(input)"])
          }
          #expect(fault?.kind == .usage && fault?.remedy == "give a place outside it")
        }
      }
      try requireSeparateFiles(outputs: ["\(folder)/reader/new"], inputs: ["\(folder)/read", ""])
      try requireSeparateFiles(
        outputs: ["\(folder)/new", "\(folder)/other"], inputs: ["\(folder)/in", "gone"])
    }
  }
}
