const sites = ["binance.com", "okx.com", "bybit.com"];
const test = sites.map((site) => `dnsDomainIs(host, "${site}")`).join(" || ");
const data = `function FindProxyForURL(url, host) { return ${test} ? "SOCKS5 relay.example:1080" : "DIRECT"; }`;

chrome.proxy.settings.set({value: {mode: "pac_script", pacScript: {data}}, scope: "regular"});
