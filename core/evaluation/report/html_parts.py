"""The parts of the HTML page that do not depend on the evaluation."""

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--ink:#1b1b1f;--soft:#55555f;--rule:#c3c3cc;
--band:#f4f4f7;--bad:#a3001b}
@media(prefers-color-scheme:dark){:root{--ground:#17171a;--ink:#e8e8ee;--soft:#a9a9b4;
--rule:#4a4a55;--band:#212126;--bad:#ff8a98}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:86rem;padding:0 1.2rem;
background:var(--ground);color:var(--ink)}
h1{font-size:1.6rem;margin:0 0 .3rem}h2{font-size:1.2rem;margin:2.4rem 0 .6rem}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
p,li{max-width:52rem}small,.note{color:var(--soft)}.note{font-size:.9rem;margin:.3rem 0}
.after{display:block;font-size:.72rem}.bad{color:var(--bad)}.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem}
th,td{padding:.32rem .6rem;text-align:right;vertical-align:top;white-space:nowrap}
th.w,td.w{text-align:left}td.long{white-space:normal;min-width:11rem;overflow-wrap:anywhere}
thead th{white-space:normal;vertical-align:bottom;border-bottom:2px solid var(--rule)}
tbody tr{border-bottom:1px solid var(--rule)}
tbody tr:nth-child(even){background:var(--band)}
td b{font-weight:700}td u{text-underline-offset:.2em}
th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;
text-align:inherit}th[aria-sort] button{text-decoration:underline dotted}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1rem}
figure{margin:0}figure svg{width:100%;height:auto;font-family:inherit}
figure svg *{stroke-linejoin:round;stroke-linecap:butt}
.pair{margin:0 0 1.6rem}.half{max-width:46rem}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(8rem,1fr));gap:.6rem;
margin-top:.4rem}.pictures img{width:100%;height:auto;display:block;
border:3px solid transparent}.pictures .worst img{border-color:var(--bad)}
.gone{border:1px dashed var(--rule);padding:2rem .5rem;text-align:center;color:var(--soft)}
figcaption{font-size:.85rem;overflow-wrap:anywhere}
@media print{@page{size:A4 landscape;margin:12mm}
body{margin:0;padding:0;max-width:none;font-size:9pt}.note{font-size:8.5pt}
table{font-size:8pt}.after{font-size:6.5pt}th,td{padding:.2rem .35rem}
h2,h3{break-after:avoid}figure,tr,thead,.charts>div,.pair{break-inside:avoid}
.pictures{grid-template-columns:repeat(auto-fill,minmax(6rem,1fr))}
.wide{overflow:visible}th button{text-decoration:none}}
"""

SORTING = """
for(const table of document.querySelectorAll('table.sortable')){
const body=table.tBodies[0];
[...table.tHead.rows[0].cells].forEach((head,column)=>{
const button=document.createElement('button');button.type='button';
button.append(...head.childNodes);head.append(button);
button.onclick=()=>{
const up=head.getAttribute('aria-sort')!=='ascending';
for(const other of table.tHead.rows[0].cells)other.removeAttribute('aria-sort');
head.setAttribute('aria-sort',up?'ascending':'descending');
const key=row=>{const cell=row.cells[column];
return 'n' in cell.dataset?Number(cell.dataset.n):cell.textContent};
const rows=[...body.rows].map(row=>[key(row),row]);
const order=(x,y)=>{
if(typeof x==='number'&&typeof y==='number'){
if(Number.isNaN(x)||Number.isNaN(y))return Number.isNaN(x)-Number.isNaN(y);
if(x===y)return 0;return (x<y?-1:1)*(up?1:-1)}
return String(x).localeCompare(String(y),undefined,{numeric:true})*(up?1:-1)};
rows.sort((x,y)=>order(x[0],y[0]));
body.append(...rows.map(row=>row[1]))}})}
"""
"""Sorts tables by a click on the head of a column; without it they are as they are."""
