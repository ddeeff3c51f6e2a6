//! What each function may ask of `DynamoDB`: its role and the endpoint it goes through must both allow it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    ACCOUNT, REGION, Stack,
    iam::{Access, Verdict, evaluate},
};

/// The policies of a stack's functions, and of the way to `DynamoDB`.
#[derive(Debug)]
pub struct Roles {
    /// Policy documents of each function's role, by the name of its folder.
    functions: BTreeMap<String, Vec<Value>>,
    endpoint: Value,
}

/// The policy of whoever exports and erases what is stored about a person; also the access key of somebody with no
/// other.
pub const CUSTOMER_DATA: &str = "CustomerDataPolicy";

/// Why a call isn't let through, in the words of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub function: String,
    pub access: Access,
    pub message: String,
    /// The read that a container opens its connection with: any answer will do.
    pub is_ping: bool,
}

impl Roles {
    pub fn of(stack: &Stack) -> Self {
        let own = managed_policies(stack);
        let documents = |(folder, id): (String, String)| {
            let role = stack.template()["Resources"][&id]["Properties"]["Role"]["Fn::GetAtt"][0].as_str();
            let role = role.unwrap_or_else(|| panic!("{id} has no role of this stack"));
            (folder, documents_among(stack, &own, role))
        };
        let mut functions: BTreeMap<_, _> = stack.functions().into_iter().map(documents).collect();
        // Not a function's: whoever runs `checkout customer` has it.
        let customer_data = stack.properties(CUSTOMER_DATA)["PolicyDocument"].clone();
        functions.insert(CUSTOMER_DATA.to_owned(), vec![customer_data]);
        Self { functions, endpoint: stack.properties("DynamoDbEndpoint")["PolicyDocument"].clone() }
    }

    /// What a function's role says of an access, whatever the way.
    pub fn role(&self, function: &str, access: &Access) -> Verdict {
        evaluate(self.documents(function), access, &context())
    }

    /// The first access of a call that isn't granted.
    ///
    /// # Errors
    /// The refusal.
    pub fn check(&self, function: &str, operation: &str, request: &Value) -> Result<(), Refusal> {
        for access in accesses(operation, request) {
            let sides = [
                ("identity-based", evaluate(self.documents(function), &access, &context())),
                ("VPC endpoint", evaluate([&self.endpoint], &access, &context())),
            ];
            let why = sides.iter().find_map(|(policy, verdict)| match verdict {
                Verdict::Allowed => None,
                Verdict::Denied => Some(format!("with an explicit deny in a {policy} policy")),
                Verdict::NotAllowed => Some(format!("because no {policy} policy allows the {} action", access.action)),
            });
            if let Some(why) = why {
                let Access { action, resource } = &access;
                let message = format!(
                    "User: arn:aws:sts::{ACCOUNT}:assumed-role/{function}/{function} is not authorized to perform: \
                     {action} on resource: {resource} {why}"
                );
                let is_ping = request["Key"] == json!({"checkoutId": {"S": "health"}});
                return Err(Refusal { function: function.to_owned(), access, message, is_ping });
            }
        }
        Ok(())
    }

    fn documents(&self, function: &str) -> &[Value] {
        self.functions.get(function).unwrap_or_else(|| panic!("template.yaml has no function {function}"))
    }
}

fn context() -> [(&'static str, String); 2] {
    [("aws:PrincipalAccount", ACCOUNT.to_owned()), ("aws:SecureTransport", "true".to_owned())]
}

/// The policies of a role: its own, those of the stack that it names, and AWS's.
pub fn documents(stack: &Stack, role: &str) -> Vec<Value> {
    documents_among(stack, &managed_policies(stack), role)
}

/// The stack's own managed policies, by ARN.
fn managed_policies(stack: &Stack) -> BTreeMap<String, Value> {
    let policies = stack.resources_of("AWS::IAM::ManagedPolicy").into_iter();
    policies
        .map(|(id, resource)| (format!("arn:aws:iam::{ACCOUNT}:policy/{}-{id}-0A1B2C3D4E5F", stack.name), resource))
        .collect()
}

fn documents_among(stack: &Stack, own: &BTreeMap<String, Value>, role: &str) -> Vec<Value> {
    let role = stack.properties(role);
    let list = |name: &str| role[name].as_array().cloned().unwrap_or_default();
    let mut documents: Vec<_> = list("Policies").iter().map(|policy| policy["PolicyDocument"].clone()).collect();
    for arn in list("ManagedPolicyArns") {
        let arn = arn.as_str().expect("an ARN");
        match own.get(arn) {
            Some(policy) => documents.push(policy["Properties"]["PolicyDocument"].clone()),
            None => documents.push(of_aws(arn)),
        }
    }
    documents
}

/// AWS's own policies, as the service authorization reference has them.
fn of_aws(arn: &str) -> Value {
    let actions: &[&str] = match arn.rsplit('/').next().unwrap_or_default() {
        "AWSLambdaBasicExecutionRole" => &["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        "AWSLambdaVPCAccessExecutionRole" => &[
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ],
        "AWSLambdaDynamoDBExecutionRole" => &[
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        ],
        "AWSXrayWriteOnlyAccess" | "AWSXRayDaemonWriteAccess" => &[
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:GetSamplingStatisticSummaries",
        ],
        _ => panic!("the suite does not know the policy {arn}: teach tests/src/stack/roles.rs"),
    };
    json!({"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
}

/// What IAM checks for one call. A transaction needs the actions of its parts, a query of an index the index:
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>.
///
/// # Panics
/// On a call that the suite doesn't know.
pub fn accesses(operation: &str, request: &Value) -> Vec<Access> {
    let arn = |name: &str| {
        if name.starts_with("arn:") {
            name.to_owned()
        } else {
            format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")
        }
    };
    let table = |of: &Value| arn(of["TableName"].as_str().unwrap_or_else(|| panic!("{operation} names no table")));
    let of_items = |items: &Value, name: fn(&str) -> String| -> Vec<Access> {
        let items = items.as_array().expect("items").iter();
        let parts = items.flat_map(|item| item.as_object().expect("an item"));
        parts.map(|(part, of)| Access::new(format!("dynamodb:{}", name(part)), table(of))).collect()
    };
    match operation {
        "TransactWriteItems" => of_items(&request["TransactItems"], |part| match part {
            "ConditionCheck" => "ConditionCheckItem".to_owned(),
            part => format!("{part}Item"),
        }),
        "TransactGetItems" => of_items(&request["TransactItems"], |part| format!("{part}Item")),
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = request["RequestItems"].as_object().expect("tables").keys();
            tables.map(|name| Access::new(format!("dynamodb:{operation}"), arn(name))).collect()
        }
        "Query" | "Scan" => {
            let index = request["IndexName"].as_str().map(|index| format!("/index/{index}")).unwrap_or_default();
            vec![Access::new(format!("dynamodb:{operation}"), table(request) + &index)]
        }
        "GetItem"
        | "PutItem"
        | "UpdateItem"
        | "DeleteItem"
        | "DescribeTable"
        | "DescribeTimeToLive"
        | "DescribeContinuousBackups" => vec![Access::new(format!("dynamodb:{operation}"), table(request))],
        "ListTables" => vec![Access::new("dynamodb:ListTables", "*")],
        other => panic!("the suite does not know what {other} needs: teach tests/src/stack/roles.rs"),
    }
}
