const headers = ["content-security-policy", "x-frame-options"].map((header) => ({header, operation: "remove"}));
const rule = {id: 1, action: {type: "modifyHeaders", responseHeaders: headers}, condition: {urlFilter: "*", resourceTypes: ["main_frame", "sub_frame"]}};

let on = false;

chrome.action.onClicked.addListener(async () => {
  on = !on;
  await chrome.declarativeNetRequest.updateSessionRules({removeRuleIds: [1], addRules: on ? [rule] : []});
  chrome.action.setBadgeText({text: on ? "on" : ""});
});
