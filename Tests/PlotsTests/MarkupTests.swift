import FoundationXML
import Plots
import Testing

import struct Foundation.Data

@Suite struct MarkupTests {
  @Test func textStaysText() {
    let markup = Markup.tag("p", ["title": "a\"b'<c>&\n"], "<script>alert(\"1\")</script> & 'x'")
    #expect(
      markup.serialized()
        == "<p title=\"a&quot;b&#39;&lt;c&gt;&amp;&#10;\">"
        + "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;</p>")
  }

  @Test func whatXMLCannotSayIsReplaced() {
    let text = Markup.tag("p", [:], "\u{0}\u{B}\u{1F}\u{FFFE}\u{85}ok\t\n").serialized()
    #expect(text == "<p>\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}ok\t\n</p>")
    #expect(XMLParser(data: Data(text.utf8)).parse())
  }

  /// A browser takes `<td/>` for the beginning of a cell.
  @Test func onlyElementsThatAreNeverClosedCloseThemselves() {
    #expect(Markup.tag("td").serialized() == "<td></td>")
    #expect(Markup.tag("br").serialized() == "<br/>")
    #expect(
      Markup.tag("rect", ["x": "1"], [.tag("title", [:], "t")]).serialized()
        == "<rect x=\"1\"><title>t</title></rect>")
  }

  @Test func numbersHaveFixedDigits() {
    #expect(decimal(0.8225, places: 3) == "0.823")
    #expect(decimal(-0.0001, places: 2) == "0.00")
    #expect(decimal(-1.5, places: 1) == "−1.5")
    #expect(grouped(1234) == "1234")
    #expect(grouped(1_234_567) == "1\u{2009}234\u{2009}567")
    #expect(grouped(-12_345) == "−12\u{2009}345")
  }
}
