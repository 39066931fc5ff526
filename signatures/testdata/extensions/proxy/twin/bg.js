const server = {scheme: "https", host: "de.vpn.maker.example", port: 443};

chrome.proxy.settings.set({value: {mode: "fixed_servers", rules: {singleProxy: server}}, scope: "regular"});
