package s3bucket

import (
	"context"
	"strings"
	"testing"
)

var urls = []struct{ name, url, want, problem string }{
	{name: "a bucket", url: "s3://my-bucket", want: "s3://my-bucket"},
	{name: "a bucket with a slash", url: "s3://my-bucket/", want: "s3://my-bucket"},
	{name: "a prefix", url: "s3://my.bucket/barman/x", want: "s3://my.bucket/barman/x"},
	{name: "a prefix with the slash that barman's users write", url: "s3://my-bucket/barman/", want: "s3://my-bucket/barman"},
	{name: "slashes all around the prefix", url: "s3://my-bucket//barman//", want: "s3://my-bucket/barman"},
	{name: "a prefix with a space", url: "s3://my-bucket/a b", want: "s3://my-bucket/a b"},
	{name: "another scheme", url: "gs://bucket/x", problem: "no S3 URL"},
	{name: "no scheme", url: "bucket/x", problem: "no S3 URL"},
	{name: "nothing", url: "", problem: "no S3 URL"},
	{name: "no bucket", url: "s3:///x", problem: "no name of an S3 bucket"},
	{name: "capital letters", url: "s3://Bucket/x", problem: "no name of an S3 bucket"},
	{name: "an underscore", url: "s3://my_bucket", problem: "no name of an S3 bucket"},
	{name: "a bucket of two letters", url: "s3://ab", problem: "no name of an S3 bucket"},
	{name: "an address", url: "s3://192.168.1.1/x", problem: "no name of an S3 bucket"},
	{name: "dots in a row", url: "s3://a..b/x", problem: "no name of an S3 bucket"},
	{name: "a prefix that climbs", url: "s3://bucket/a/../b", problem: "prefix"},
	{name: "an empty part in the prefix", url: "s3://bucket/a//b", problem: "prefix"},
	{name: "a line break in the prefix", url: "s3://bucket/a\nb", problem: "prefix"},
}

func TestURLsAreTakenAsUsersWriteThem(t *testing.T) {
	for _, tc := range urls {
		t.Run(tc.name, func(t *testing.T) {
			noConfig(t)
			b, err := Open(context.Background(), Options{URL: tc.url})
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) || strings.Contains(err.Error(), "\n") {
					t.Errorf("Open = %v, want one line with %q", err, tc.problem)
				}
			} else if err != nil || b.URL() != tc.want {
				t.Errorf("Open = %v, %v, want %s", b, err, tc.want)
			}
		})
	}
}

func FuzzURL(f *testing.F) {
	for _, tc := range urls {
		f.Add(tc.url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		name, prefix, err := parseURL(url)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%q", err.Error())
			}
			return
		}
		again := (&Bucket{bucket: name, prefix: prefix}).URL()
		if n, p, err := parseURL(again); err != nil || n != name || p != prefix {
			t.Errorf("%q became %q, which is %q, %q, %v", url, again, n, p, err)
		}
		if strings.Contains("/"+prefix, "/../") || strings.Contains(prefix, "//") || strings.HasPrefix(prefix, "/") || prefix != "" && !strings.HasSuffix(prefix, "/") {
			t.Errorf("%q has the prefix %q", url, prefix)
		}
	})
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"an unknown encryption":       {SSE: "rot13"},
		"a key without KMS":           {SSE: "AES256", SSEKMSKeyID: "k"},
		"a key without encryption":    {SSEKMSKeyID: "k"},
		"an unknown lock mode":        {LockMode: "FOREVER"},
		"a profile that is not there": {Profile: "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			noConfig(t)
			o.URL = "s3://bucket"
			if _, err := Open(context.Background(), o); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("Open = %v, want an error of one line", err)
			}
		})
	}
}

func TestEndpointAndRegionComeFromTheEnvironment(t *testing.T) {
	for _, tc := range []struct {
		name, variable, value, endpoint string
		pathStyle                       bool
		region                          string
	}{
		{name: "nothing set is AWS in us-east-1", region: "us-east-1"},
		{name: "AWS_REGION", variable: "AWS_REGION", value: "eu-west-3", region: "eu-west-3"},
		{name: "AWS_DEFAULT_REGION", variable: "AWS_DEFAULT_REGION", value: "eu-west-3", region: "eu-west-3"},
		{name: "AWS_ENDPOINT_URL", variable: "AWS_ENDPOINT_URL", value: "http://s3.example", endpoint: "http://s3.example", pathStyle: true, region: "us-east-1"},
		{name: "AWS_ENDPOINT_URL_S3", variable: "AWS_ENDPOINT_URL_S3", value: "http://s3.example", endpoint: "http://s3.example", pathStyle: true, region: "us-east-1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noConfig(t)
			if tc.variable != "" {
				t.Setenv(tc.variable, tc.value)
			}
			b, err := Open(context.Background(), Options{URL: "s3://bucket"})
			if err != nil {
				t.Fatal(err)
			}
			o, endpoint := b.client.Options(), ""
			if o.BaseEndpoint != nil {
				endpoint = *o.BaseEndpoint
			}
			if endpoint != tc.endpoint || o.UsePathStyle != tc.pathStyle || o.Region != tc.region {
				t.Errorf("endpoint %q, path style %t, region %q", endpoint, o.UsePathStyle, o.Region)
			}
		})
	}
}
