package feed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// explain says what an error means for who looks after the feed.
func explain(err error, now time.Time) error {
	var status *metadata.ErrDownloadHTTP
	switch {
	case errors.Is(err, &metadata.ErrExpiredMetadata{}):
		return fmt.Errorf("%w: the publisher has not renewed it, the mirror stands still, or this computer's clock (%s) is wrong",
			err, now.Format(time.DateTime))
	case errors.Is(err, &metadata.ErrUnsignedMetadata{}):
		return fmt.Errorf("%w: it is not signed by the keys that the feed's root names; nothing of it is used", err)
	case errors.Is(err, &metadata.ErrBadVersionNumber{}):
		return fmt.Errorf("%w: the mirror has older files than those already verified, or ones that don't belong together: it lags, or somebody tries to turn the feed back",
			err)
	case errors.Is(err, &metadata.ErrLengthOrHashMismatch{}), errors.Is(err, &metadata.ErrDownloadLengthMismatch{}):
		return fmt.Errorf("%w: not what was signed; it was damaged or exchanged on its way", err)
	case errors.As(err, &status) && status.StatusCode == 404:
		return fmt.Errorf("%w: the address is wrong, or the mirror is not complete", err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: the mirror is too slow", err)
	}
	return err
}

// staleAfter is how long the files may go without a mirror's word before State calls them stale: a weekend without a
// network is not news, more is.
const staleAfter = 72 * time.Hour

// soon is how long before its expiry a role should have been signed anew. Those of daily work are renewed by a job, the
// others need a person and their passphrase.
func soon(role string) time.Duration {
	switch role {
	case metadata.TIMESTAMP:
		return 12 * time.Hour
	case metadata.SNAPSHOT:
		return 48 * time.Hour
	}
	return 14 * 24 * time.Hour
}

func (s State) warning(t *tree, now time.Time) string {
	switch {
	case s.Expired:
		return fmt.Sprintf("the feed is past its expiry (%s, %s); its files are still used. The publisher has not renewed it, the mirrors stand still, or this computer's clock is wrong",
			s.ExpiresRole, s.Expires.Format(time.DateTime))
	case s.Refused != "":
		return "a newer feed is signed, and was refused by its rehearsal on this machine: " + s.Refused
	case s.Stale:
		return fmt.Sprintf("no mirror has answered properly since %s; the files from then are used", s.LastSuccess.Format(time.DateTime))
	case t == nil && s.Err != nil:
		return "no feed is in use yet: " + s.Err.Error()
	case t == nil:
		return ""
	}
	for _, role := range slices.Sorted(maps.Keys(t.roles)) {
		if at := t.roles[role]; at.Sub(now) < soon(role) {
			return fmt.Sprintf("role %s of the feed expires on %s; the publisher should sign it anew", role, at.Format(time.DateTime))
		}
	}
	return ""
}
