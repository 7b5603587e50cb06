/// The style sheet of a page, without a character that XML would have to escape. Figures are drawn in light colours;
/// those that have a role get another value where the reader's system is dark.
let pageStyle = """
  :root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2328; --muted: #59636e; --line: #d8dee4; --link: #0757a8; --warn: #fff6e0; --warn-line: #d9a300 }
  * { box-sizing: border-box }
  body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, Segoe UI, Helvetica Neue, Helvetica, Arial, sans-serif }
  header, main { max-width: 1120px; margin: 0 auto; padding: 0 28px }
  header { padding-top: 40px }
  h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; overflow-wrap: anywhere }
  .subtitle { color: var(--muted); margin: 0 0 18px; overflow-wrap: anywhere }
  h2 { font-size: 21px; margin: 0 0 10px; padding-top: 22px; border-top: 1px solid var(--line) }
  section { margin: 34px 0 0 }
  p { max-width: 76ch }
  nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 6px 18px; margin: 0; padding: 0; font-size: 14px }
  a { color: var(--link); text-decoration: none }
  a:hover, a:focus { text-decoration: underline }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 12px 0; font-size: 15px }
  dt { color: var(--muted) }
  dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
  .notes { background: var(--warn); border-left: 4px solid var(--warn-line); margin: 14px 0; padding: 10px 14px 10px 32px; font-size: 14.5px; overflow-wrap: anywhere }
  figure { margin: 20px 0 14px }
  .plot { overflow-x: auto }
  svg.figure { display: block; max-width: 100%; height: auto }
  figcaption { font-size: 14px; color: var(--muted); max-width: 92ch; margin-top: 8px; overflow-wrap: anywhere }
  figcaption strong { color: var(--ink) }
  .file { font-size: 12px; border: 1px solid var(--line); border-radius: 4px; padding: 0 5px; margin-left: 2px }
  details { margin: 10px 0 18px; font-size: 14px }
  summary { cursor: pointer; color: var(--link) }
  .table { overflow-x: auto; margin: 8px 0 }
  table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums }
  caption { text-align: left; color: var(--muted); padding-bottom: 6px }
  th, td { padding: 4px 9px; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400; overflow-wrap: break-word; max-width: 44ch }
  thead th { color: var(--muted); font-weight: 600; vertical-align: bottom; min-width: 5ch; max-width: 16ch; overflow-wrap: anywhere; hyphens: auto; border-bottom: 2px solid var(--line) }
  .number { text-align: right }
  td.number { white-space: nowrap }
  .table th:first-child { position: sticky; left: 0; background: var(--paper) }
  @media (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --ink: #e6edf3; --muted: #9198a1; --line: #30363d; --link: #6cb6ff; --warn: #2b2410; --warn-line: #b8860b }
  .f-ink { fill: #e6edf3 } .f-muted { fill: #9198a1 } .f-axis { fill: #6e7681 } .f-grid { fill: #21262d } .f-paper { fill: #0d1117 } .f-faint { fill: #3d444d } .f-deep { fill: #79c0ff }
  .s-ink { stroke: #e6edf3 } .s-muted { stroke: #9198a1 } .s-axis { stroke: #6e7681 } .s-grid { stroke: #21262d } .s-paper { stroke: #0d1117 } .s-faint { stroke: #3d444d }
  }
  @media (max-width: 1400px) {
  details table { font-size: 12.5px } details th, details td { padding: 3px 5px } details thead th { font-size: 11px }
  }
  @media print {
  body { font-size: 11pt } nav, .file { display: none } figure, tr { break-inside: avoid } header, main { max-width: none; padding: 0 } .plot, .table { overflow: visible } table { font-size: 8pt; width: 100% } th, td { padding: 2px 4px; white-space: normal; overflow-wrap: anywhere }
  }
  """
