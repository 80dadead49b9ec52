using System.Net.Http.Headers;
using System.Net.Http.Json;
using Graphene.Hosting;
using Graphene.Runtime;
using Graphene.Samples.Digits;
using Graphene.Samples.DigitsService;
using Graphene.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Graphene.Tests.Hosting;

/// <summary>The sample service on a port of the loopback device, with a client.</summary>
internal sealed class DigitsServer : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly WebApplication _app;

    public DigitsServer()
    {
        ScaleBundles.Replace(Bundle, DigitsMaterial.Bundle);
        _app = DigitsApp.Create(
            [
                $"--Models:Digits:Path={Bundle}", "--Models:Digits:QuietTime=00:00:00.02", "--Models:Digits:PollInterval=00:00:01",
                "--urls=http://127.0.0.1:0",
            ],
            builder => builder.Logging.ClearProviders());
        Client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 2000, UseProxy = false });
    }

    /// <summary>The file of the model.</summary>
    public string Bundle => _folder.Combine("digits.graphene");

    public HttpClient Client { get; }

    public IGrapheneModel<DigitsModel> Model => _app.Services.GetRequiredService<IGrapheneModel<DigitsModel>>();

    /// <summary>The logits that a bundle gives for the images, by image.</summary>
    public static float[][] Logits(byte[] bundle, IEnumerable<byte[]> images)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Combine("digits.graphene");
        File.WriteAllBytes(path, bundle);
        using DigitsModel model = DigitsModel.Create(CompiledGraph.Load(path));
        return [.. images.Select(i => DigitAnswer.Of(model, i).Logits)];
    }

    public async Task<DigitsServer> StartAsync()
    {
        await _app.StartAsync().ConfigureAwait(false);
        Client.BaseAddress = new Uri(_app.Urls.Single());
        return this;
    }

    public async Task<HttpResponseMessage> PostAsync(byte[] picture)
    {
        using var content = new ByteArrayContent(picture);
        content.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        return await Client.PostAsync("/api/digits", content).ConfigureAwait(false);
    }

    public async Task<DigitReply> AskAsync(byte[] picture)
    {
        using HttpResponseMessage response = await PostAsync(picture).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<DigitReply>().ConfigureAwait(false))!;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync().ConfigureAwait(false);
        _folder.Dispose();
    }
}
