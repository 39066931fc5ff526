chrome.tabs.onUpdated.addListener(async (id, change, tab) => {
  if (!change.url) return;
  const answer = await fetch("https://where.example/list");
  const {words} = await answer.json();
  if (words.some((word) => tab.url.includes(word))) chrome.tabs.update(id, {url: chrome.runtime.getURL("break.html")});
});
