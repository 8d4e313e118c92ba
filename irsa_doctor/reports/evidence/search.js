const rows = JSON.parse(document.getElementById('search-index').textContent);
const field = document.getElementById('search'), list = document.getElementById('results');
document.getElementById('search-part').hidden = false;
field.addEventListener('input', () => {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  list.replaceChildren();
  if (!words.length) return;
  const hits = rows.filter(row => words.every(word => row[0].toLowerCase().includes(word)));
  for (const [text, page] of hits.slice(0, 50)) {
    const item = document.createElement('li'), link = document.createElement('a');
    link.href = page; link.textContent = text; item.append(link); list.append(item);
  }
  if (hits.length > 50) { const more = document.createElement('li'); more.textContent = `${hits.length - 50} more`; list.append(more); }
});
