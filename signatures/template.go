package signatures

import (
	"crypto/rand"
	"fmt"
	"time"
)

// Template returns a rule file to start from. It loads, but Check asks for the parts in it that only its author
// knows.
func Template(name string) []byte {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	id := fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	return fmt.Appendf(nil, template, id, name, time.Now().Format(time.DateOnly))
}

// template is the file. Its detection and cases work, so that an author changes them step by step.
const template = `# docs/rule-format.md explains every key and field.
title: Reads the cookies of an exchange
id: %s
name: %s # same as the file name
status: experimental # stable once it is proven; verdict: malicious needs that
description: |
  What it does, since when, and who was hit.
references: [] # at least one link to a report
author: ""
date: %s
tags: [attack.t1176.001]
logsource: {product: browser, category: extension}
detection:
  selection:
    permissions: cookies
    targets|exists: true
  filter:
    origin: policy
  condition: selection and not filter
falsepositives: [] # which honest extensions it may hit
level: high # informational low medium high critical
verdict: suspicious # malicious suspicious capable
response:
  user:
    - Remove the extension.
  admin:
    - Block the ID of the extension by policy.
tests:
  match:
    - case: cookies on one exchange
      permissions: [cookies]
      host_permissions: ["*://*.binance.com/*"]
  no_match:
    - case: cookies on a site of its own
      permissions: [cookies]
      host_permissions: ["https://app.example/*"]
`
