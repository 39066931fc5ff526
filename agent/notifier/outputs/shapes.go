package outputs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/extwatch/extwatch/signatures"
)

const (
	ecsVersion  = "8.17.0"
	ocsfVersion = "1.5.0"
	product     = "ExtWatch"
	// maxBody bounds one event as JSON; what waits for a receiver is bounded by the queue at 256 KiB.
	maxBody = 128 << 10
	// maxEvidence bounds the evidence told to other systems; the store has all.
	maxEvidence = 20
)

type object = map[string]any

// encode gives an event as one line of JSON in a shape: plain, ecs or ocsf.
func encode(e Event, shape string) ([]byte, error) {
	if e.Finding != nil && len(e.Finding.Evidence) > maxEvidence {
		f := *e.Finding
		f.Evidence = f.Evidence[:maxEvidence]
		e.Finding = &f
	}
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	var v any
	switch shape {
	case "", "plain":
		v = e
	case "ecs":
		v = ecs(&e)
	case "ocsf":
		v = ocsf(&e)
	default:
		return nil, fmt.Errorf("there is no shape %q; use plain, ecs or ocsf", shape)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write the event as JSON: %w", err)
	}
	if len(data) > maxBody {
		return nil, fmt.Errorf("the event has %d bytes; at most %d are sent", len(data), maxBody)
	}
	return data, nil
}

// drop removes what is empty, so that no field has a value that says nothing.
func drop(o object) object {
	for k, v := range o {
		switch x := v.(type) {
		case string:
			if x == "" {
				delete(o, k)
			}
		case object:
			if len(drop(x)) == 0 {
				delete(o, k)
			}
		case []string:
			if len(x) == 0 {
				delete(o, k)
			}
		case nil:
			delete(o, k)
		}
	}
	return o
}

// ecs maps an event to the Elastic Common Schema. Its categories: malware for findings, configuration for decisions and
// rules, host for problems; each with a type that the schema allows there.
func ecs(e *Event) object {
	kind, category, action := "event", "malware", "info"
	switch e.Kind {
	case Opened, Warned:
		kind = "alert"
	case Blocked, Undone, Trusted, Feed:
		category, action = "configuration", "change"
	case Problem:
		category = "host"
	}
	o := object{
		"@timestamp": e.Time.Format("2006-01-02T15:04:05.000Z07:00"),
		"ecs":        object{"version": ecsVersion},
		"message":    e.Message,
		"event": object{
			"kind": kind, "category": []string{category}, "type": []string{action}, "action": string(e.Kind), "id": e.Key,
			"code": fmt.Sprint(e.Kind.Number()), "provider": "extwatch", "dataset": "extwatch.events", "module": "extwatch",
			"severity": int64(7 - e.severity()), "reason": e.Reason,
		},
		"observer": object{"vendor": product, "product": product, "type": "extension-scanner", "version": e.Agent},
		"host":     object{"hostname": e.Host, "name": e.Host},
		"user":     object{"name": e.User},
		"package":  object{"name": e.Name, "version": e.Version, "path": e.Path, "type": packageType(e)},
		"extwatch": object{
			"extension": object{"id": e.Extension}, "browser": e.Browser, "profile": e.Profile, "verdict": string(e.Verdict), "by": e.By,
			"exchanges": e.Exchanges, "finding_key": e.FindingKey,
		},
	}
	if e.User != "" {
		o["related"] = object{"user": []string{e.User}}
	}
	if f := e.Finding; f != nil {
		o["rule"] = object{"id": f.Rule, "name": f.Title, "description": f.Description, "category": f.Level, "reference": first(f.References)}
		o["extwatch"].(object)["campaign"] = f.Campaign
		o["extwatch"].(object)["evidence"] = evidence(f)
	}
	return drop(o)
}

func packageType(e *Event) string {
	if e.Extension == "" {
		return ""
	}
	return "browser-extension"
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func evidence(f *signatures.Finding) []string {
	var list []string
	for _, ev := range f.Evidence {
		place := cmp.Or(ev.File, ev.Key)
		if ev.Line > 0 {
			place += fmt.Sprintf(":%d", ev.Line)
		}
		list = append(list, place+": "+ev.Text)
	}
	return list
}

// ocsf maps an event to the Open Cybersecurity Schema Framework: findings to Detection Finding (2004), everything else to
// Base Event (0), whose activity is 99, other.
func ocsf(e *Event) object {
	id, name := ocsfSeverity(e)
	o := object{
		"time": e.Time.UnixMilli(), "message": e.Message, "severity_id": id, "severity": name,
		"category_uid": 0, "class_uid": 0, "activity_id": 99, "activity_name": string(e.Kind), "type_uid": 99,
		"metadata": object{
			"version": ocsfVersion, "uid": e.Key, "event_code": fmt.Sprint(e.Kind.Number()), "log_name": "extwatch",
			"product": object{"name": product, "vendor_name": product, "version": e.Agent},
		},
		"unmapped": object{
			"extwatch": object{
				"browser": e.Browser, "profile": e.Profile, "verdict": string(e.Verdict), "exchanges": e.Exchanges, "reason": e.Reason, "by": e.By,
				"extension": e.Extension, "name": e.Name, "version": e.Version, "path": e.Path, "user": e.User, "host": e.Host,
			},
		},
	}
	if e.Kind == Opened || e.Kind == Closed {
		finding(o, e)
	}
	return drop(o)
}

func ocsfSeverity(e *Event) (int, string) {
	switch e.severity() {
	case 2:
		return 5, "Critical"
	case 4:
		return 4, "High"
	case 5:
		return 2, "Low"
	}
	return 1, "Informational"
}

// finding adds what makes a Detection Finding of an event.
func finding(o object, e *Event) {
	activity, name, status := 1, "Create", 1
	if e.Kind == Closed {
		activity, name, status = 3, "Close", 4 // resolved
	}
	o["category_uid"], o["category_name"], o["class_uid"], o["class_name"] = 2, "Findings", 2004, "Detection Finding"
	o["activity_id"], o["activity_name"], o["type_uid"], o["status_id"] = activity, name, 200400+activity, status
	o["is_alert"] = e.Kind == Opened
	info := object{"uid": cmp.Or(e.FindingKey, e.Key), "title": e.Message, "product_uid": "extwatch"}
	if f := e.Finding; f != nil {
		info["title"], info["desc"] = f.Title, f.Description
		info["analytic"] = object{"uid": f.Rule, "name": f.Title, "type": "Rule", "type_id": 1}
		if len(f.Response.Admin) > 0 {
			o["remediation"] = object{"desc": first(f.Response.Admin)}
		}
		o["unmapped"].(object)["extwatch"].(object)["evidence"] = evidence(f)
	}
	o["finding_info"] = info
	if e.Host != "" {
		o["device"] = object{"hostname": e.Host, "type_id": 0, "os": operatingSystem()}
	}
	if e.Extension != "" {
		r := object{"uid": e.Extension, "name": e.Name, "type": "browser-extension", "version": e.Version}
		if e.User != "" {
			r["owner"] = object{"name": e.User}
		}
		o["resources"] = []object{drop(r)}
	}
}

func operatingSystem() object {
	switch runtime.GOOS {
	case "windows":
		return object{"name": "Windows", "type_id": 100}
	case "darwin":
		return object{"name": "macOS", "type_id": 300}
	case "linux":
		return object{"name": "Linux", "type_id": 200}
	}
	return object{"name": runtime.GOOS, "type_id": 0}
}
