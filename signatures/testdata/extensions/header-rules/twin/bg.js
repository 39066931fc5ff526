chrome.alarms.onAlarm.addListener(async () => {
  const answer = await fetch("https://config.example/next");
  chrome.storage.local.set({next: await answer.text()});
});
