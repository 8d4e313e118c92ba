"""Documents of Azure and Google Cloud: what `az`, Microsoft Graph and `gcloud` print."""
