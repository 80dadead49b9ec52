using System.Net;
using System.Text.Json;
using Graphene.Samples.Digits;
using Graphene.Samples.DigitsService;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>The sample tools/samples/DigitsService, asked over HTTP.</summary>
internal sealed class DigitsServiceTests
{
    private DigitsServer _server = null!;

    [OneTimeSetUp]
    public async Task Start() => _server = await new DigitsServer().StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [Test]
    public async Task ADrawingIsRead()
    {
        DigitReply reply = await _server.AskAsync(PngEncoder.Grey(DigitsMaterial.Drawing(0)));

        Assert.That(reply.Digit, Is.EqualTo(DigitsMaterial.Label(0)));
        Assert.That(reply.Probabilities, Has.Length.EqualTo(10));
        Assert.That(reply.Probabilities.Sum(), Is.EqualTo(1).Within(1e-5));
        Assert.That(reply.Image, Is.EqualTo(DigitNormalizer.Normalize(DigitsMaterial.Drawing(0))));
        Assert.That(reply.Logits, Is.EqualTo(DigitsServer.Logits(DigitsMaterial.Bundle, [reply.Image])[0]));
        Assert.That((reply.Model.Name, reply.Model.Version), Is.EqualTo(("DigitsModel", _server.Model.Version!.Hash)));
    }

    [Test]
    public async Task WhatCannotBeReadIsAProblem()
    {
        await Problem("no picture"u8.ToArray(), HttpStatusCode.BadRequest, "not a PNG file");
        await Problem([], HttpStatusCode.BadRequest, "not a PNG file");
        await Problem(
            PngEncoder.Grey(new GreyImage(40, 40, new byte[1600])), HttpStatusCode.UnprocessableEntity, "Nothing is drawn");
        await Problem(new byte[PngDecoder.MaxBytes + 1], HttpStatusCode.RequestEntityTooLarge, "too large");

        async Task Problem(byte[] body, HttpStatusCode status, string detail)
        {
            using HttpResponseMessage response = await _server.PostAsync(body);
            Assert.That(response.StatusCode, Is.EqualTo(status));
            Assert.That(response.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/problem+json"));
            Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain(detail));
        }
    }

    [Test]
    public async Task TheServiceSaysHowItIs()
    {
        Assert.That(await _server.Client.GetStringAsync("/healthz/live"), Is.EqualTo("Healthy"));
        Assert.That(
            await _server.Client.GetStringAsync("/healthz/ready"),
            Does.Contain("Healthy").And.Contain($"answers with version {_server.Model.Version!.ShortHash}"));
        Assert.That(await _server.Client.GetStringAsync("/api/model"), Does.Contain(_server.Model.Version!.Hash));
    }

    [Test]
    public async Task MetricsAreShown()
    {
        await _server.AskAsync(PngEncoder.Grey(DigitsMaterial.Drawing(1)));

        string page = await _server.Client.GetStringAsync("/metrics");

        Assert.That(page, Does.Match("graphene_model_runs_total\\{graphene_model_name=\"DigitsModel\"\\} [1-9]"));
        Assert.That(page, Does.Match("graphene_model_run_duration_seconds_count\\{graphene_model_name=\"DigitsModel\"\\} [1-9]"));
        Assert.That(page, Does.Contain("graphene_reload_outcome=\"loaded\""));
        Assert.That(page, Does.Contain($"graphene_model_version=\"{_server.Model.Version!.ShortHash}\"}} 1"));
        Assert.That(page, Does.Match("graphene_model_memory_bytes\\{graphene_model_name=\"DigitsModel\","
            + "graphene_memory_kind=\"constants\"\\} [1-9]"));
    }

    [Test]
    public async Task ThePageAndTheDescriptionAreThere()
    {
        using HttpResponseMessage page = await _server.Client.GetAsync(new Uri("/", UriKind.Relative));
        string html = await page.Content.ReadAsStringAsync();
        using JsonDocument description = JsonDocument.Parse(await _server.Client.GetStringAsync("/openapi.json"));

        Assert.That(page.Headers.GetValues("Content-Security-Policy").Single(), Does.StartWith("default-src 'none'"));
        Assert.That(html, Does.Contain("<canvas").And.Not.Contain("http://").And.Not.Contain("https://"));
        Assert.That(
            description.RootElement.GetProperty("paths").EnumerateObject().Select(p => p.Name),
            Is.EqualTo(new[] { "/api/digits", "/api/model" }));
    }
}
