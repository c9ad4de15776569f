//! The operations on permission schemes and their grants, and which project has which scheme.

use serde_json::{Value, json};

use crate::emulators::jira::permissions::grants::{Grant, Grantee, PermissionScheme};
use crate::emulators::jira::permissions::keys::permission;
use crate::emulators::jira::reply::{
    Outcome, Reply, bad_payload, created, no_content, ok, one_field, refusal,
};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::{Jira, team_managed};

impl Jira {
    fn shared_scheme(&self, id: &str) -> Result<&PermissionScheme, Reply> {
        id.parse()
            .ok()
            .and_then(|id: u64| self.permissions.schemes.get(&id))
            .filter(|scheme| scheme.project.is_none())
            .ok_or_else(|| {
                refusal(
                    404,
                    format!("The permission scheme with id '{id}' does not exist."),
                )
            })
    }

    fn scheme_json(&self, scheme: &PermissionScheme, call: &Call<'_>, with_grants: bool) -> Value {
        let mut body = json!({
            "self": format!("{}/rest/api/{}/permissionscheme/{}", self.site, call.version, scheme.id),
            "id": scheme.id, "name": scheme.name, "description": scheme.description,
        });
        if with_grants {
            body["permissions"] = self.grants_json(scheme, call.version);
        }
        body
    }

    fn grants_json(&self, scheme: &PermissionScheme, version: &str) -> Value {
        scheme
            .grants
            .iter()
            .map(|grant| self.grant_json(grant, scheme.id, version))
            .collect()
    }

    fn grant_json(&self, grant: &Grant, scheme: u64, version: &str) -> Value {
        json!({
            "id": grant.id, "permission": grant.permission, "holder": self.grantee_json(&grant.grantee),
            "self": format!("{}/rest/api/{version}/permissionscheme/{scheme}/permission/{}", self.site, grant.id),
        })
    }

    fn grantee_json(&self, grantee: &Grantee) -> Value {
        let same =
            |kind: &str, value: &str| json!({"type": kind, "parameter": value, "value": value});
        match grantee {
            Grantee::Anyone => json!({"type": "anyone"}),
            Grantee::ApplicationRole(None) => json!({"type": "applicationRole"}),
            Grantee::ApplicationRole(Some(name)) => same("applicationRole", name),
            Grantee::Assignee => json!({"type": "assignee"}),
            Grantee::Reporter => json!({"type": "reporter"}),
            Grantee::ProjectLead => json!({"type": "projectLead"}),
            Grantee::Group(id) => {
                let name = self.people.groups.get(id).map(|group| &group.name);
                json!({"type": "group", "parameter": name, "value": id, "expand": "group"})
            }
            Grantee::ProjectRole(role) => {
                let mut holder = same("projectRole", &role.to_string());
                holder["expand"] = json!("projectRole");
                holder
            }
            Grantee::User(account) => {
                let mut holder = same("user", account);
                holder["expand"] = json!("user");
                holder
            }
            Grantee::UserField(field) => same("userCustomField", field),
            Grantee::GroupField(field) => same("groupCustomField", field),
            Grantee::PortalCustomer => json!({"type": "sd.customer.portal.only"}),
        }
    }

    /// `value` is preferred to `parameter`: for a group the first is its id, the second its name (Jira REST v3:
    /// permission schemes, holder object).
    fn read_grantee(&self, holder: &Value) -> Result<Grantee, Reply> {
        let kind = holder["type"].as_str().ok_or_else(bad_payload)?;
        let given = holder["value"].as_str().or(holder["parameter"].as_str());
        let required = || {
            given.ok_or_else(|| {
                one_field(
                    "holder",
                    format!("A holder of type '{kind}' needs a value."),
                )
            })
        };
        let unknown = |what: &str| one_field("holder", format!("The {what} does not exist."));
        Ok(match kind {
            "anyone" => Grantee::Anyone,
            "applicationRole" => Grantee::ApplicationRole(given.map(ToOwned::to_owned)),
            "assignee" => Grantee::Assignee,
            "reporter" => Grantee::Reporter,
            "projectLead" => Grantee::ProjectLead,
            "group" => {
                let group = self.people.group(required()?);
                Grantee::Group(group.ok_or_else(|| unknown("group"))?.id.clone())
            }
            "projectRole" => {
                let role = self.role(required()?);
                Grantee::ProjectRole(role.map_err(|_| unknown("project role"))?.id)
            }
            "user" => {
                let user = self.account(required()?);
                Grantee::User(user.ok_or_else(|| unknown("user"))?.account_id.clone())
            }
            "userCustomField" => Grantee::UserField(required()?.to_owned()),
            "groupCustomField" => Grantee::GroupField(required()?.to_owned()),
            "sd.customer.portal.only" => Grantee::PortalCustomer,
            other => {
                let text = format!("The holder type '{other}' is not recognised.");
                return Err(one_field("holder", text));
            }
        })
    }

    fn read_grant(&mut self, body: &Value) -> Result<Grant, Reply> {
        let key = body["permission"].as_str().ok_or_else(bad_payload)?;
        let known = permission(key).filter(|known| !known.is_global);
        let known = known.ok_or_else(|| one_field("permission", "Unrecognized permission"))?;
        let grantee = self.read_grantee(&body["holder"])?;
        Ok(Grant {
            id: self.permissions.take_grant_id(),
            permission: known.key.to_owned(),
            grantee,
        })
    }

    pub(crate) fn get_permission_schemes(&mut self, call: &mut Call<'_>) -> Outcome {
        let with_grants = call.expands("permissions") || call.expands("all");
        let schemes = self.permissions.schemes.values();
        let rows: Vec<Value> = schemes
            .filter(|scheme| scheme.project.is_none())
            .map(|scheme| self.scheme_json(scheme, call, with_grants))
            .collect();
        ok(json!({ "permissionSchemes": rows }))
    }

    pub(crate) fn create_permission_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        self.require_permission_editing()?;
        let name = self.new_scheme_name(call, None)?;
        let mut grants = Vec::new();
        for body in call.body["permissions"].as_array().into_iter().flatten() {
            let grant = self.read_grant(body)?;
            add_grant(&mut grants, grant)?;
        }
        let last = self
            .permissions
            .schemes
            .keys()
            .filter(|id| **id < 1_000_000);
        let id = last.max().map_or(10_000, |id| (id + 1).max(10_000));
        let scheme = PermissionScheme {
            id,
            name,
            description: text(&call.body["description"]),
            grants,
            project: None,
        };
        let body = self.scheme_json(&scheme, call, true);
        self.permissions.schemes.insert(id, scheme);
        created(body)
    }

    fn new_scheme_name(&self, call: &Call<'_>, own: Option<u64>) -> Result<String, Reply> {
        let name = call.body["name"].as_str().unwrap_or_default().trim();
        if name.is_empty() {
            return Err(one_field(
                "name",
                "You must specify a name for the permission scheme.",
            ));
        }
        let mut others = self.permissions.schemes.values();
        if others.any(|scheme| Some(scheme.id) != own && scheme.name.eq_ignore_ascii_case(name)) {
            let text = "A permission scheme with that name already exists.";
            return Err(one_field("name", text));
        }
        Ok(name.to_owned())
    }

    pub(crate) fn get_permission_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        let scheme = self.shared_scheme(call.param(0))?;
        ok(self.scheme_json(scheme, call, true))
    }

    /// The grants are replaced when the body has any (Jira REST v3: update permission scheme).
    pub(crate) fn update_permission_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        self.require_permission_editing()?;
        let id = self.shared_scheme(call.param(0))?.id;
        let name = self.new_scheme_name(call, Some(id))?;
        let mut grants = None;
        if let Some(given) = call.body["permissions"].as_array().cloned() {
            let mut list = Vec::new();
            for body in &given {
                let grant = self.read_grant(body)?;
                add_grant(&mut list, grant)?;
            }
            grants = Some(list);
        }
        if let Some(scheme) = self.permissions.schemes.get_mut(&id) {
            scheme.name = name;
            scheme.description = text(&call.body["description"]);
            scheme.grants = grants.unwrap_or_else(|| std::mem::take(&mut scheme.grants));
        }
        self.get_permission_scheme(call)
    }

    pub(crate) fn delete_permission_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        self.require_permission_editing()?;
        let id = self.shared_scheme(call.param(0))?.id;
        if self.projects.values().any(|p| p.permission_scheme == id) {
            let text = "The permission scheme is used by a project and cannot be deleted.";
            return Err(refusal(403, text));
        }
        self.permissions.schemes.remove(&id);
        no_content()
    }

    pub(crate) fn get_grants(&mut self, call: &mut Call<'_>) -> Outcome {
        let scheme = self.shared_scheme(call.param(0))?;
        ok(
            json!({"permissions": self.grants_json(scheme, call.version), "expand": "user,group,projectRole,field,all"}),
        )
    }

    pub(crate) fn get_grant(&mut self, call: &mut Call<'_>) -> Outcome {
        let scheme = self.shared_scheme(call.param(0))?;
        let grant = scheme
            .grants
            .iter()
            .find(|g| g.id.to_string() == call.param(1));
        let grant = grant.ok_or_else(|| no_grant(call.param(1)))?;
        ok(self.grant_json(grant, scheme.id, call.version))
    }

    pub(crate) fn create_grant(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        self.require_permission_editing()?;
        let id = self.shared_scheme(call.param(0))?.id;
        let grant = self.read_grant(&call.body.clone())?;
        let body = self.grant_json(&grant, id, call.version);
        if let Some(scheme) = self.permissions.schemes.get_mut(&id) {
            add_grant(&mut scheme.grants, grant)?;
        }
        created(body)
    }

    pub(crate) fn delete_grant(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        self.require_permission_editing()?;
        let id = self.shared_scheme(call.param(0))?.id;
        let gone = call.param(1).to_owned();
        let scheme = self.permissions.schemes.get_mut(&id);
        let scheme = scheme.ok_or_else(|| no_grant(&gone))?;
        let before = scheme.grants.len();
        scheme.grants.retain(|grant| grant.id.to_string() != gone);
        if scheme.grants.len() == before {
            let text = format!("The permission grant with id '{gone}' does not exist.");
            return Err(refusal(400, text));
        }
        no_content()
    }

    pub(crate) fn get_project_permission_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        let project = self.administered_project(call)?;
        if project.is_team_managed() {
            return Err(team_managed("permission schemes"));
        }
        let scheme = self.shared_scheme(&project.permission_scheme.to_string())?;
        let with_grants = call.expands("permissions") || call.expands("all");
        ok(self.scheme_json(scheme, call, with_grants))
    }

    pub(crate) fn assign_permission_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        self.require_permission_editing()?;
        let project = self.administered_project(call)?;
        if project.is_team_managed() {
            return Err(team_managed("permission schemes"));
        }
        let project = project.id;
        let wanted = call.body["id"].as_u64().ok_or_else(bad_payload)?;
        let scheme = self.shared_scheme(&wanted.to_string())?;
        let body = self.scheme_json(scheme, call, false);
        if let Some(project) = self.projects.get_mut(&project) {
            project.permission_scheme = wanted;
        }
        ok(body)
    }

    /// Puts another role into every grant and condition that names one, so that the first can go.
    pub(crate) fn replace_role(&mut self, old: u64, new: u64) {
        for scheme in self.permissions.schemes.values_mut() {
            for grant in &mut scheme.grants {
                if grant.grantee == Grantee::ProjectRole(old) {
                    grant.grantee = Grantee::ProjectRole(new);
                }
            }
        }
        self.workflows.replace_role(old, new);
    }

    pub(crate) fn is_role_in_use(&self, role: u64) -> bool {
        let mut grants = self.permissions.schemes.values().flat_map(|s| &s.grants);
        grants.any(|grant| grant.grantee == Grantee::ProjectRole(role))
            || self.workflows.names_role(role)
    }
}

/// The same grant twice is refused (Jira REST v3: create permission grant).
fn add_grant(grants: &mut Vec<Grant>, grant: Grant) -> Result<(), Reply> {
    let is_known =
        |known: &Grant| known.permission == grant.permission && known.grantee == grant.grantee;
    if grants.iter().any(is_known) {
        let text = "The permission is already granted to this holder.";
        return Err(refusal(400, text));
    }
    grants.push(grant);
    Ok(())
}

fn no_grant(id: &str) -> Reply {
    refusal(
        404,
        format!("The permission grant with id '{id}' does not exist."),
    )
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
