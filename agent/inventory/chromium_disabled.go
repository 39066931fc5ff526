package inventory

import (
	"math"
	"strconv"

	"github.com/tidwall/gjson"
)

// disableList is the version that reads only a list of disable_reasons. Measured on Chromium 156.0.8078.79, Linux: beside a
// list, a number or nothing, an extension with "state" 0 or 2 runs and the key is deleted; one with "blacklist" runs; one
// with a number or a string as disable_reasons runs. Which version was the first is not known; what is older is believed.
const disableList = 156

// uninstalled is a reason of ours: 2 in the old "state", for what another program put there and the person removed.
const uninstalled = "uninstalled_by_user"

// disableReasons names why the extension is disabled: now, and what counts besides if the browser is older than
// disableList. Chromium writes a list of bits, older versions their sum, and still older ones only a state.
func disableReasons(o map[string]gjson.Result) (now, old []string) {
	v := o["disable_reasons"]
	switch {
	case v.IsArray():
		var bits uint64
		v.ForEach(func(_, item gjson.Result) bool {
			bits |= wholeNumber(item)
			return true
		})
		now = reasonNames(bits)
	case v.Type == gjson.Number:
		old = reasonNames(wholeNumber(v))
	default:
		switch state := o["state"]; {
		case state.Type != gjson.Number:
		case state.Int() == 0:
			old = append(old, "disabled")
		case state.Int() == 2:
			old = append(old, uninstalled)
		}
		if o["blacklist"].Type == gjson.True {
			old = append(old, "blocklisted_malware")
		}
	}
	// Malware: 1 in both enumerations (extensions/browser/blocklist_state.h). Chromium 156 runs neither. The milder states
	// come with reason 512.
	if wholeNumber(o["blacklist_state"]) == 1 || wholeNumber(o["omaha_blocklist_state"])&1 != 0 {
		now = append(now, "blocklisted_malware")
	}
	return now, old
}

func reasonNames(bits uint64) []string {
	var names []string
	for bit := range 64 {
		if bits&(1<<bit) != 0 {
			names = append(names, disableReason(1<<bit))
		}
	}
	return names
}

func wholeNumber(v gjson.Result) uint64 {
	if v.Type != gjson.Number || v.Num < 0 || v.Num >= math.MaxInt64 || v.Num != math.Trunc(v.Num) {
		return 0
	}
	return uint64(v.Num)
}

// disableReason names one bit of disable_reasons (extensions/browser/disable_reason.h in Chromium).
func disableReason(bit uint64) string {
	switch bit {
	case 1:
		return "user_action"
	case 2:
		return "permissions_increase"
	case 4:
		return "reload"
	case 8:
		return "unsupported_requirement"
	case 16:
		return "sideload_wipeout"
	case 32:
		return "unknown_from_sync"
	case 256:
		return "not_verified"
	case 512:
		return "greylist"
	case 1024:
		return "corrupted"
	case 2048:
		return "remote_install"
	case 8192:
		return "external_extension"
	case 16384:
		return "update_required_by_policy"
	case 32768:
		return "custodian_approval_required"
	case 65536:
		return "blocked_by_policy"
	case 131072:
		return "blocked_mature"
	case 262144:
		return "remotely_for_malware"
	case 524288:
		return "reinstall"
	case 1048576:
		return "not_allowlisted"
	case 2097152:
		return "not_ash_keeplisted"
	case 4194304:
		return "published_in_store_required_by_policy"
	case 8388608:
		return "unsupported_manifest_version"
	case 16777216:
		return "unsupported_developer_extension"
	case 33554432:
		return "unknown"
	}
	return "reason_" + strconv.FormatUint(bit, 10)
}
