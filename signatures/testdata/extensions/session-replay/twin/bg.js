chrome.runtime.onStartup.addListener(async () => {
  const answer = await fetch("https://panel.example/languages");
  await answer.json();
  for (const [name, value] of [["locale", "en-us"]]) chrome.cookies.set({url: "https://www.okx.com/", name, value});
});
