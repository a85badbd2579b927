// Command sample is a custom handler that does what the value of its trigger asks.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
)

func main() {
	if os.Getenv("OWN") == "broken" {
		fmt.Fprintln(os.Stderr, "cannot start")
		os.Exit(2)
	}
	err := http.ListenAndServe("127.0.0.1:"+os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT"), http.HandlerFunc(do))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func do(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		http.NotFound(w, r) // any answer will do
		return
	}
	var asked struct {
		Data     map[string]json.RawMessage
		Metadata map[string]any
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	value := string(asked.Data["event"])
	fmt.Fprintf(os.Stderr, "%s doing %s count=%v own=%s home=%s\n", r.URL.Path, value, asked.Metadata["DequeueCount"], os.Getenv("OWN"), os.Getenv("GOCACHE"))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	has := func(word string) bool { return value == strconv.Quote(word) }
	switch {
	case has("fail"):
		w.WriteHeader(http.StatusInternalServerError)
	case has("empty"):
	case has("null"):
		io.WriteString(w, " null\n")
	case has("text"):
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "{}")
	case has("list"):
		io.WriteString(w, "[]")
	case has("exit"):
		os.Exit(3)
	case has("hang"):
		<-r.Context().Done()
	default:
		json.NewEncoder(w).Encode(map[string]any{"Outputs": map[string]any{}, "Logs": []string{"did " + value}, "ReturnValue": nil})
	}
}
