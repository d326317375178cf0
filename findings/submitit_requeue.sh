#!/bin/sh
# submitit does not ask Slurm to requeue the jobs that it itself will requeue.
#
# With submitit 1.5.4, a job whose callable has a `checkpoint` method, submitted with max_num_timeout=100, is
# to go on after its time limit: submitit catches the warning signal and runs `scontrol requeue ID`. But the
# file that it gives to sbatch holds no `--requeue`. So the cluster's default decides: with `JobRequeue=0` in
# slurm.conf, Slurm 22.05.8 refuses that very command ("Requested operation is presently disabled"), and
# the job ends at its first time limit, or when its node is lost. What mends it is
#     executor.update_parameters(additional_parameters={"requeue": True})
# Here sbatch is a stand-in that keeps the file; no Slurm is needed.
# Exits 1 when submitit asks by itself, or no longer takes the option.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check submitit==1.5.4 cloudpickle==3.1.2 typing_extensions==4.15.0
mkdir "$work/bin"
cat > "$work/bin/sbatch" <<'STUB'
#!/bin/sh
for file; do :; done
cp "$file" "$KEPT"
echo "Submitted batch job 1"
STUB
printf '#!/bin/sh\n' > "$work/bin/srun"
chmod +x "$work/bin/sbatch" "$work/bin/srun"
cat > "$work/submit.py" <<'PY'
import sys
import submitit
from submitit.helpers import DelayedSubmission

class Resumes:
    def __call__(self):
        return 0

    def checkpoint(self):
        return DelayedSubmission(self)

folder, extra = sys.argv[1], sys.argv[2] == "asked"
executor = submitit.SlurmExecutor(folder=folder, max_num_timeout=100)
executor.update_parameters(time=60, **({"additional_parameters": {"requeue": True}} if extra else {}))
executor.submit(Resumes())
print("submitit", submitit.__version__)
PY
for how in plain asked; do
  KEPT="$work/$how.sh" PATH="$work/bin:$PATH" "$work/venv/bin/python" "$work/submit.py" "$work/jobs" "$how"
  echo "$how: $(grep -c -e '--requeue' "$work/$how.sh" || true) line(s) with --requeue"
done
if grep -q -e '--requeue' "$work/plain.sh"; then echo "CHANGED: submitit asks by itself"; exit 1; fi
grep -q -e '^#SBATCH --requeue$' "$work/asked.sh" || { echo "CHANGED: the option is not taken"; exit 1; }
# Seen:
#   submitit 1.5.4
#   plain: 0 line(s) with --requeue
#   submitit 1.5.4
#   asked: 1 line(s) with --requeue
