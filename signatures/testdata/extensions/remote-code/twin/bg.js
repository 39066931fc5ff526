async function refresh() {
  const answer = await fetch("https://config.maker.example/v1/rules.json");
  const {layout} = await answer.json();
  chrome.storage.local.set({layout});
}
refresh();
