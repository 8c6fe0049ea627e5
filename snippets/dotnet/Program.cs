// dotnet add package Microsoft.AspNetCore.Authentication.JwtBearer
using Microsoft.AspNetCore.Authentication.JwtBearer;

var builder = WebApplication.CreateBuilder(args);

builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
{
    // Keys are found by discovery, and fetched again when a kid is unknown. https only, unless RequireHttpsMetadata is false.
    options.Authority = "https://login.example.com";
    options.Audience = "https://api.example.com";
    // Claims keep their names: `sub` stays `sub`.
    options.MapInboundClaims = false;
    options.TokenValidationParameters.ValidIssuer = "https://login.example.com";
    options.TokenValidationParameters.ValidAlgorithms = ["RS256"];
    // RFC 9068: an access token, not an ID token. A resource with --token-typ JWT has "JWT" here.
    options.TokenValidationParameters.ValidTypes = ["at+jwt"];
    options.TokenValidationParameters.NameClaimType = "sub";
    options.TokenValidationParameters.ClockSkew = TimeSpan.FromSeconds(5);
});

builder.Services.AddAuthorization(options => options.AddPolicy("orders:read", policy => policy.RequireAssertion(context =>
    // One that is bound to a key (DPoP, mutual TLS) is for a verifier that asks for proof of the key.
    !context.User.HasClaim(claim => claim.Type == "cnf")
    && (context.User.FindFirst("scope")?.Value.Split(' ').Contains("orders:read") ?? false))));

var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
app.MapGet("/orders", (HttpContext context) => new { sub = context.User.Identity?.Name }).RequireAuthorization("orders:read");
app.Run();
