# One image for the web server, the worker and the one-off commands; compose.yaml says which does what.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# By checksum; on x86-64, where every package has a wheel, without building any. Nothing imports TensorFlow's C++ headers
# or libclang, a sixth of all that is installed.
COPY requirements.lock ./
RUN pip install --require-hashes $([ "$(uname -m)" != x86_64 ] || echo "--only-binary :all:") -r requirements.lock \
    && cd "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
    && rm -r tensorflow/include clang

RUN useradd --system --uid 10001 --no-create-home digits \
    && mkdir -p /data \
    && chown digits:digits /data
COPY . .
# A process could not keep what it compiles, and would take 2 s longer to start each time.
RUN python -m compileall -q .

# Local mode here and now only: collecting static files needs no secret.
ENV DATA_DIR=/data
USER digits
RUN python manage.py collectstatic --noinput --verbosity 0

VOLUME /data
EXPOSE 8000
CMD ["python", "-m", "digits_site.server", "--bind", "0.0.0.0", "--port", "8000"]
