package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/functions/wake"
)

// maxRequest bounds what is read of a request: an Event Grid event has at most
// 1 MiB, and the host writes it twice, with its metadata.
const maxRequest = 4 << 20

// handler answers the Functions host. Every request is one invocation; several
// may run at once.
type handler struct {
	finalize func(ctx context.Context, created []wake.Object) ([]wake.Result, error)
	sweep    func(ctx context.Context) (finalizer.SweepReport, error)
	log      *slog.Logger
}

// routes names one path for each function that is shipped. The host asks for
// "/" until anything answers, and then knows that the program is ready.
func (h *handler) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /finalize", h.invoked(h.wake))
	mux.HandleFunc("POST /sweep", h.invoked(h.swept))
	return mux
}

// request is what the host sends: a value for each binding of the function, by
// its name.
type request struct {
	Data map[string]json.RawMessage
}

// answer is what the host wants of any function but one for HTTP, with a 2xx
// and always: it waits for ever after a 2xx with an empty body ("Azure
// Functions custom handlers", and the host's sources, November 2026).
type answer struct {
	Outputs     map[string]any
	Logs        []string
	ReturnValue any
}

// invoked answers one invocation. 500 makes the event come again: a queue's
// message after a while, up to maxDequeueCount in host.json and then in the
// poison queue; an event that Event Grid delivers itself by its own schedule.
func (h *handler) invoked(function func(context.Context, request) ([]string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req request
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&req); err != nil || len(req.Data) == 0 {
			h.log.Error("a request that no Functions host sends", "path", r.URL.Path, "error", err)
			h.reply(w, http.StatusBadRequest, []string{"not a request of the Functions host"})
			return
		}
		var logs []string
		err := wake.Guard(h.log, func() (err error) {
			logs, err = function(r.Context(), req)
			return err
		})
		if err != nil {
			h.reply(w, http.StatusInternalServerError, append(logs, err.Error()))
			return
		}
		h.reply(w, http.StatusOK, logs)
	}
}

func (h *handler) reply(w http.ResponseWriter, status int, logs []string) {
	body, err := json.Marshal(answer{Outputs: map[string]any{}, Logs: append([]string{}, logs...)})
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"Outputs":{},"Logs":[],"ReturnValue":null}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		h.log.Warn("the Functions host did not wait for the answer", "error", err)
	}
}

// wake finalizes what the events name. An event that cannot be read stays as it
// is however often it comes, and is dropped with an error in the log. One of
// another container is an error: somebody must correct the subscription or the
// setting, and then the next delivery is the right one.
func (h *handler) wake(ctx context.Context, r request) ([]string, error) {
	var created []wake.Object
	var logs []string
	drop := func(errs ...error) {
		for _, err := range errs {
			h.log.Error("an event is dropped", "error", err)
			logs = append(logs, "dropped: "+err.Error())
		}
	}
	for _, value := range r.Data {
		events, errs := unwrap(value, 0)
		drop(errs...)
		for _, e := range events {
			o, err := createdIn(e)
			if err != nil {
				drop(err)
				continue
			}
			created = append(created, o...)
		}
	}
	results, err := h.finalize(ctx, created)
	for _, r := range results {
		logs = append(logs, fmt.Sprintf("%s %s: %s", r.Server, r.BackupID, r.Verdict))
	}
	return logs, err
}

// swept sweeps. The host does not call a timer's function again when it fails,
// but counts the failure.
func (h *handler) swept(ctx context.Context, _ request) ([]string, error) {
	report, err := h.sweep(ctx)
	text, encodeErr := json.Marshal(report)
	return []string{string(text)}, errors.Join(err, encodeErr)
}
