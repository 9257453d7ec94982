-- Helm charts among the manifests: the index of a chart repository is made from them, and images are many more.
CREATE INDEX manifests_of_charts ON manifests (repository, digest)
    WHERE artifact_type = 'application/vnd.cncf.helm.config.v1+json';
