const forms = [[/[?&]utm_[a-z]+=[^&]*/g, ""], [/\s+/g, " "]];

document.addEventListener("copy", (event) => {
  let text = String(document.getSelection()).trim();
  for (const [form, instead] of forms) text = text.replace(form, instead);
  event.clipboardData.setData("text/plain", text);
  event.preventDefault();
});
