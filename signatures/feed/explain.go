package feed

import (
	"context"
	"errors"
	"fmt"
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
