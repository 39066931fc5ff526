// Package e2e tests the program against the real parts it lives among: Debian's Chromium and Firefox ESR, driven headless
// with fresh profiles, and the Windows program under Wine. It runs in mount and network namespaces of its own, so that
// managed policies and external extensions can be put in place without touching the machine, and nothing leaves it.
//
// A browser that is not installed is a failure, not a skip: CONTRIBUTING.md says what to install.
package e2e
