# The explorer with its weights inside: builds from this folder, runs offline, listens on 7860.
FROM python:3.12-slim

# ffmpeg reads what libsndfile does not, for instance phone memos (m4a).
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/*

# Spaces run containers as user 1000.
RUN useradd --create-home --uid 1000 user
USER user
ENV HOME=/home/user PATH=/home/user/.local/bin:$PATH GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1
WORKDIR /home/user/app

# Requirements first: an edit of the code does not install torch again.
COPY --chown=user requirements.txt .
RUN pip install --no-cache-dir --user -r requirements.txt
COPY --chown=user model model
COPY --chown=user assets assets
COPY --chown=user app app

EXPOSE 7860
CMD ["python", "-m", "app.main", "--host", "0.0.0.0", "--port", "7860"]
