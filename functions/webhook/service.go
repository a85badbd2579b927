package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/functions/wake"
)

const (
	// grace is how long calls of the finalizer may go on after a SIGTERM: less than
	// the 10 seconds after which a container is killed. What does not end then is
	// ended, and the next start's sweep finds it.
	grace = 8 * time.Second
	// farewell is what is left for the last answers.
	farewell = time.Second
)

// service is the whole: requests come in by the handlers of events.go, and wait
// for the queue's calls.
type service struct {
	set      settings
	backup   func(wake.Object) (server, id string, err error)
	finalize func(context.Context, []wake.Object) ([]wake.Result, error)
	queue    *queue
	sweeper  *sweeper
	metrics  *metrics
	log      *slog.Logger

	room         chan struct{} // as many places as requests may be in hand
	ending       atomic.Bool
	refused      refusals
	otherBuckets atomic.Bool // the log has said that there are events of other buckets
}

func newService(set settings, backup func(wake.Object) (string, string, error), finalize func(context.Context, []wake.Object) ([]wake.Result, error),
	sweep func(context.Context) (finalizer.SweepReport, error), log *slog.Logger) *service {
	s := &service{set: set, backup: backup, finalize: finalize, metrics: newMetrics(), log: log, room: make(chan struct{}, maxRequests)}
	s.queue = newQueue(s.call)
	s.sweeper = newSweeper(sweep, set.sweepEvery, s.metrics)
	return s
}

// call is one call of the finalizer. One that fails has the next sweep come
// early: many senders do not send again.
func (s *service) call(ctx context.Context, created []wake.Object) ([]wake.Result, error) {
	begin := time.Now()
	var results []wake.Result
	err := wake.Guard(s.log, func() (err error) {
		results, err = s.finalize(ctx, created)
		return err
	})
	s.metrics.finalized(results, err, time.Since(begin))
	if err != nil {
		s.sweeper.soon()
	}
	return results, err
}

// run serves until the context ends, and then ends what it does. The error is
// why it could not serve.
func (s *service) run(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.set.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := s.set.check(listener.Addr()); err != nil {
		return err
	}
	address := listener.Addr().String()
	if s.set.tls != nil {
		listener = tls.NewListener(listener, s.set.tls)
	} else if s.set.token != "" && !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		s.log.Warn("the secret is sent in the clear unless something in front of this service speaks TLS: set " + envCert + " and " + envKey)
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	go s.queue.run(work)
	stop, swept := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(swept)
		s.sweeper.run(work, stop, func(f func() error) error { return wake.Guard(s.log, f) })
	}()
	server := &http.Server{
		// Whoever knocks at TLS with nothing to say must not be able to fill the log.
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		Handler:  s.routes(), MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: 20*time.Second + 2*patience, IdleTimeout: 2 * time.Minute,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	s.log.Info("listening", "address", address, "tls", s.set.tls != nil, "sweep_every", s.set.sweepEvery.String())
	select {
	case err = <-failed:
	case <-ctx.Done():
		s.log.Info("ending", "in_hand", s.queue.length())
	}
	s.ending.Store(true)
	s.queue.stop()
	close(stop)
	late := time.AfterFunc(grace, cancel)
	defer late.Stop()
	for _, ended := range []<-chan struct{}{s.queue.stopped, swept} {
		select {
		case <-ended:
		case <-work.Done():
		}
	}
	last, done := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer done()
	if server.Shutdown(last) != nil { // somebody still talks, or has opened a connection to say nothing
		_ = server.Close()
	}
	return err
}
