// Documents to begin with; the accounts and ids are those of documentation.
const issuer = "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";

const policy = (provider, condition) =>
  `${JSON.stringify(
    {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Federated: `arn:aws:iam::111122223333:oidc-provider/${provider}` },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: condition,
        },
      ],
    },
    null,
    2,
  )}\n`;

const account = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: invoices
  namespace: billing
  annotations:
    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/invoices
`;

export const examples = {
  policy: {
    documents: policy(issuer, { StringLike: { [`${issuer}:sub`]: "system:serviceaccount:*" } }),
  },
  pair: {
    documents: `${policy(issuer, {
      StringEquals: { [`${issuer}:sub`]: "system:serviceaccount:billing:invoice", [`${issuer}:aud`]: "sts.amazonaws.com" },
    })}---\n${account}`,
    role: "arn:aws:iam::111122223333:role/invoices",
    error: "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity",
  },
  github: {
    documents: policy("token.actions.githubusercontent.com", {
      StringEquals: { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" },
      StringLike: { "token.actions.githubusercontent.com:sub": "repo:*" },
    }),
  },
  error: {
    documents: `An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: No OpenIDConnect provider found in your account for https://${issuer}\n`,
  },
};
