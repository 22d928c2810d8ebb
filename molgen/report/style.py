"""Style sheet and script of the report page; both stand inside the page, which needs no network."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f8;--card:#fff;--ink:#1b2229;--soft:#5a6673;--line:#d9dee3;--track:#e8ebee;
--s1:#2f6fb0;--s2:#c4600a;--s3:#3d8b52;--s4:#8a4fa3;--good:#3d8b52;--fair:#c9931a;--poor:#c2463c;--warn:#fff3d6;
--warnink:#6b4a00}
@media (prefers-color-scheme:dark){:root{--bg:#14181c;--card:#1d2329;--ink:#e6eaee;--soft:#9eabb7;--line:#353e47;
--track:#2b333b;--s1:#6aa9e6;--s2:#f0994c;--s3:#6fc287;--s4:#c08ad8;--good:#5fb578;--fair:#d9ab44;--poor:#e0766d;
--warn:#3d3112;--warnink:#f3d791}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1360px;margin:0 auto;padding:20px 24px 60px}
a{color:var(--s1)}
h1{font-size:26px;margin:0;overflow-wrap:anywhere}
h2{font-size:19px;margin:38px 0 10px;padding-top:6px;border-top:2px solid var(--line)}
h3{font-size:15px;margin:0 0 6px}
p{margin:6px 0}
.soft,small{color:var(--soft)}
code,pre,.smiles{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
nav{display:flex;flex-wrap:wrap;gap:4px 18px;margin:14px 0 0;font-size:14px}
.panel{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px;margin:16px 0}
.fact b{display:block;font-size:26px;line-height:1.2}
.fact span{color:var(--soft);font-size:13px}
.notes{background:var(--warn);color:var(--warnink);border-radius:8px;padding:10px 16px 10px 34px;margin:12px 0}
.objective{margin:6px 0;padding-left:20px}
.strip{display:grid;grid-template-columns:repeat(6,1fr);gap:10px;margin:14px 0}
.strip a{text-decoration:none;text-align:center;font-size:13px}
.strip span{color:#1b2229}
.paper{background:#fff;border:1px solid var(--line);border-radius:6px;display:block}
.paper svg{display:block;width:100%;height:auto}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));gap:14px;align-items:start}
.three{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(320px,100%),1fr));gap:14px}
figure{margin:0}
figcaption{font-weight:600;margin-bottom:4px}
.chart svg{width:100%;height:auto;display:block}
.chart text{font-size:11px;fill:var(--soft)}
.chart text.label{font-size:11.5px;fill:var(--ink)}
.grid{stroke:var(--line);stroke-width:1;fill:none}
.axis{stroke:var(--soft);stroke-width:1;fill:none}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.line.thin{stroke-width:1;opacity:.45}
.line.dashed{stroke-dasharray:5 4}
.bar{fill-opacity:.6}
.line.s1{stroke:var(--s1)}.line.s2{stroke:var(--s2)}.line.s3{stroke:var(--s3)}.line.s4{stroke:var(--s4)}
.bar.s1{fill:var(--s1)}.bar.s2{fill:var(--s2)}.bar.s3{fill:var(--s3)}.bar.s4{fill:var(--s4)}
.bar.good,.bar.fair,.bar.poor{fill-opacity:1}
.bar.good{fill:var(--good)}.bar.fair{fill:var(--fair)}.bar.poor{fill:var(--poor)}
.track{fill:var(--track)}
.share{width:100%;height:14px;display:block;border-radius:3px}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:13px;color:var(--soft)}
.key i{display:inline-block;width:14px;height:4px;margin-right:6px;vertical-align:middle}
.key.s1 i{background:var(--s1)}.key.s2 i{background:var(--s2)}.key.s3 i{background:var(--s3)}
.key.s4 i{background:var(--s4)}
table{border-collapse:collapse;width:100%}
th{text-align:left;font-weight:600}
.funnel td,.funnel th,.losses td,.losses th{padding:4px 8px;border-bottom:1px solid var(--line);vertical-align:middle}
.funnel .n,.losses .n,.overview .n{text-align:right;white-space:nowrap}
.funnel .wide{width:38%}
.losses td{overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(380px,100%),1fr));gap:14px}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 12px;break-inside:avoid;
font-size:13px;scroll-margin-top:10px;min-width:0}
.card header{display:flex;gap:10px;align-items:baseline;border-bottom:1px solid var(--line);padding-bottom:4px}
.rank{font-size:16px}
.id{flex:1;overflow-wrap:anywhere;color:var(--soft)}
.score{font-size:17px;font-weight:700}
.pictures{display:grid;grid-template-columns:1fr 116px;gap:8px;margin:8px 0;align-items:start}
.pictures>.paper:only-child{grid-column:1/3}
.nearest p{font-size:11.5px;line-height:1.3;margin:3px 0 0;overflow-wrap:anywhere}
.missing{padding:30px;text-align:center;color:#5a6673}
.flag{display:inline-block;background:var(--warn);color:var(--warnink);border-radius:4px;padding:0 7px;
margin:0 5px 4px 0;font-size:12px;overflow-wrap:anywhere}
.values th,.values td{padding:1px 4px 1px 0;font-weight:400;vertical-align:middle}
.values th{overflow-wrap:anywhere}
.values i{color:var(--soft);font-size:11px}
.values td{text-align:right;white-space:nowrap}
.values td:nth-child(3){width:66px}
.values .share{width:60px;height:8px}
.values td.evidence{text-align:left;white-space:normal;padding:0 0 4px 8px}
.evidence dl{display:flex;flex-wrap:wrap;gap:0 12px;margin:0;font-size:11.5px}
.evidence dt{color:var(--soft)}.evidence dt::after{content:":"}.evidence dd{margin:0 0 0 -8px;overflow-wrap:anywhere}
.atoms{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(230px,100%),1fr));gap:8px;margin:6px 0}
.atoms figcaption{font-weight:400;font-size:11px;line-height:1.3;color:#5a6673;padding:0 6px 4px}
.why{font-size:12px;line-height:1.35;color:var(--soft)}
.dots{fill:none;stroke-width:6;stroke-linecap:round;stroke-opacity:.55}
.dots.s1{stroke:var(--s1)}.dots.s2{stroke:var(--s2)}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px;margin:10px 0}
.tile{font-size:12px;line-height:1.35}
.compare{margin:12px 0}.compare input{width:5em;font:inherit}.compare table{width:auto}
.compare th,.compare td{padding:2px 14px 2px 0;text-align:right}.compare th:first-child{text-align:left}
.smiles{font-size:11px;line-height:1.35;overflow-wrap:anywhere;margin:6px 0 3px}
.made,.made code{font-size:11px;color:var(--soft);margin:0;overflow-wrap:anywhere}
.own{display:grid;grid-template-columns:auto 1fr;gap:0 10px;margin:5px 0 0;font-size:11.5px}
.own dt{color:var(--soft)}.own dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto;max-height:680px;overflow-y:auto}
.overview{font-size:13px}
.overview th{position:sticky;top:0;background:var(--card);z-index:1;white-space:nowrap;vertical-align:bottom}
.overview th small{display:block;font-weight:400;padding:0 8px 2px}
.overview button{all:unset;cursor:pointer;padding:4px 8px;font-weight:600}
.overview button:focus-visible{outline:2px solid var(--s1)}
.overview button:hover{text-decoration:underline}
.overview td{padding:2px 8px;border-bottom:1px solid var(--line)}
.overview td.paper{display:table-cell;width:112px;padding:0;border-radius:0;border-width:0 0 1px}
.overview td.paper svg{width:110px}
.overview .words{min-width:140px}
.overview .good{box-shadow:inset 4px 0 var(--good)}
.overview .fair{box-shadow:inset 4px 0 var(--fair)}
.overview .poor{box-shadow:inset 4px 0 var(--poor)}
.overview .poor{font-weight:600}
details{margin:10px 0}
summary{cursor:pointer;font-weight:600}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px;overflow-x:auto;font-size:12.5px}
.facts-table td,.facts-table th{padding:3px 10px 3px 0;border-bottom:1px solid var(--line);vertical-align:top;
font-size:13px;overflow-wrap:anywhere;font-weight:400}
.facts-table th{color:var(--soft);width:32%}
footer{margin-top:40px;color:var(--soft);font-size:13px}
@media (max-width:700px){.strip{grid-template-columns:repeat(3,1fr)}main{padding:14px}}
@media print{
:root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--track:#e8ebee;--s1:#2f6fb0;
--s2:#c4600a;--s3:#3d8b52;--s4:#8a4fa3;--good:#3d8b52;--fair:#c9931a;--poor:#c2463c;--warn:#fff3d6;--warnink:#6b4a00}
@page{size:A4;margin:10mm}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{font-size:9.5pt}main{max-width:none;padding:0}nav,.overview-part,.compare,.why{display:none}
h2{margin-top:16px;break-after:avoid}
.facts{grid-template-columns:repeat(5,1fr);gap:2mm;margin:2mm 0}.fact{padding:2mm}.fact b{font-size:13pt}
.fact span{font-size:7.5pt}
#how .panel{padding:2mm}.funnel,.losses,.legend{font-size:7.5pt}.funnel td,.funnel th,.losses td{padding:.5mm 1mm}
figcaption,.three p{font-size:8pt}
.panel,figure,.strip{break-inside:avoid}
.two{grid-template-columns:1fr 1fr}.three{grid-template-columns:repeat(3,1fr)}
#molecules{break-before:page}#molecules h2{margin:0;border:0}#molecules .lead{display:none}
.cards{display:grid;grid-template-columns:repeat(3,1fr);gap:2mm}
.card{height:64mm;overflow:hidden;padding:1mm 1.5mm;border-radius:1mm;font-size:6.4pt;line-height:1.2}
.card header{padding:0}.rank,.score{font-size:8pt}
.pictures{grid-template-columns:1fr 15mm;margin:.5mm 0;gap:1mm}.pictures>.paper>svg{height:29mm;width:100%}
.paper{border:0}.nearest .paper.small svg{height:12mm}.nearest p{font-size:5.6pt;margin:0}
.flag{font-size:5.8pt;margin:0 1mm 0 0;padding:0 1mm}
.values th,.values td{padding:0 1mm 0 0}.values i,.values small{font-size:5.6pt}
.atoms{display:none}.evidence dl{font-size:5.4pt;gap:0 2mm}.values td.evidence{padding:0}
.values td:nth-child(3){width:11mm}.values .share{width:10mm;height:1.4mm}
.smiles,.made,.made code,.own{font-size:5.2pt;line-height:1.15;margin:.4mm 0 0}
pre{font-size:7pt;white-space:pre-wrap}
}
"""

#: Sorts the overview table by the clicked column (numbers by value, empty cells last); compares two molecules.
SCRIPT = """
document.querySelectorAll('#overview th button').forEach(function(button,at){
 var up=true;
 button.addEventListener('click',function(){
  var body=document.querySelector('#overview tbody');
  var rows=Array.prototype.slice.call(body.rows);
  var key=function(row){var cell=row.cells[at];
   return cell.dataset.v!==undefined?parseFloat(cell.dataset.v):cell.textContent.trim()};
  rows.sort(function(a,b){a=key(a);b=key(b);
   if(a===b)return 0;
   if(a===''||a==='\\u2013')return 1;
   if(b===''||b==='\\u2013')return -1;
   var order=typeof a==='number'&&typeof b==='number'?a-b:String(a).localeCompare(String(b));
   return up?order:-order});
  rows.forEach(function(row){body.appendChild(row)});
  up=!up;
 });
});
(function(){
 var table=document.getElementById('whytable');
 if(!table)return;
 var a=document.getElementById('whya'),b=document.getElementById('whyb');
 var times=document.querySelector('.compare').dataset.how==='geometric_mean';
 var text=function(c){return c===undefined||c===null?'\u2013':
  times?'\u00d7'+Math.exp(c).toFixed(2):(c<0?'\u2212':'+')+Math.abs(c).toFixed(3)};
 var line=function(cells){var row=table.insertRow();
  cells.forEach(function(cell,at){var box=document.createElement(at?'td':'th');
   box.textContent=cell===null||cell===undefined?'\u2013':cell;row.appendChild(box)});};
 var show=function(){
  table.textContent='';
  var one=document.getElementById('card'+a.value),two=document.getElementById('card'+b.value);
  if(!one||!two)return;
  one=JSON.parse(one.dataset.why);two=JSON.parse(two.dataset.why);
  line(['','#'+a.value,'','#'+b.value,'','#'+a.value+' against #'+b.value]);
  line(['score','',one.score,'',two.score,times?'\u00d7'+(one.score/two.score).toFixed(3):
   (one.score-two.score).toFixed(4)]);
  Object.keys(one.parts).filter(function(name){return two.parts[name]}).map(function(name){
   return [name,one.parts[name],two.parts[name],one.parts[name][0]-two.parts[name][0]];
  }).sort(function(x,y){return Math.abs(y[3])-Math.abs(x[3])}).forEach(function(part){
   line([part[0],part[1][1],text(part[1][0]),part[2][1],text(part[2][0]),text(part[3])]);
  });
 };
 a.addEventListener('input',show);b.addEventListener('input',show);show();
})();
"""
