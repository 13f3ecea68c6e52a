#!/usr/bin/env bash
# One MLflow server for a team: numbers in PostgreSQL, files in an S3-compatible bucket. README.md says what to set.
# Nothing secret stands on the command line, where every user of the machine could read it.
set -euo pipefail

: "${MLFLOW_BACKEND_STORE_URI:?set it, for instance to postgresql+psycopg2://mlflow@127.0.0.1/mlflow}"
: "${ARTIFACTS:?set it, for instance to s3://mlflow-artifacts}"
host="${HOST:-127.0.0.1}"
port="${PORT:-5000}"

arguments=(--artifacts-destination "$ARTIFACTS" --host "$host" --port "$port" --workers "${WORKERS:-4}")
if [ -n "${NAME:-}" ]; then
  # MLflow answers 403 to every other name; a browser sends the port too, unless it is 80 or 443.
  arguments+=(--allowed-hosts "$NAME,$NAME:$port,localhost,localhost:$port,127.0.0.1,127.0.0.1:$port")
  arguments+=(--cors-allowed-origins "http://$NAME:$port,https://$NAME")
fi
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION="${MLFLOW_SERVER_ENABLE_JOB_EXECUTION:-false}" # seven processes for evaluations
exec mlflow server "${arguments[@]}"
