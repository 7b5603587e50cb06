import Glibc
import Testing

@testable import Storage

@Suite struct PlaceTests {
  private let table = """
    22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
    95 22 0:45 / /lab rw,relatime shared:50 - nfs4 store:/lab rw,vers=4.2
    96 22 0:46 / /with\\040space rw - cifs //store/lab rw
    97 22 0:47 / /tmp rw - tmpfs tmpfs rw
    broken line
    """

  @Test(arguments: [(0, 45, "nfs4"), (0, 46, "cifs"), (0, 47, nil), (259, 1, nil), (1, 1, nil)])
  func networkFileSystemsAreKnownByTheirDevice(major: dev_t, minor: dev_t, type: String?) {
    let device = (major & 0xFFF) << 8 | minor & 0xFF
    #expect(NetworkFileSystem.type(ofDevice: device, in: table) == type)
  }

  @Test func theTemporaryFolderOfThisMachineIsRead() {
    #expect(NetworkFileSystem.type(at: "/nowhere") == nil)
    #expect(Database.cautionAboutPlace(of: "/proc") == nil)
  }
}
