using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>A page in a Chromium without window, driven by the DevTools protocol.</summary>
internal sealed class ChromiumPage : IAsyncDisposable
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _browser;
    private readonly TemporaryFolder _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly CancellationTokenSource _end = new(TimeSpan.FromMinutes(3));
    private int _messages;

    private ChromiumPage(Process browser, TemporaryFolder profile) => (_browser, _profile) = (browser, profile);

    /// <summary>Opens a page and waits until an expression of it is true; skips the running test where there is no Chromium.</summary>
    public static async Task<ChromiumPage> Open(Uri address, string isReady)
    {
        string? program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(folder => Names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        if (program is null)
        {
            Assert.Ignore("Chromium is not installed (Debian: apt-get install chromium)");
        }
        var profile = new TemporaryFolder();
        var start = new ProcessStartInfo(program!,
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server",
            "--remote-debugging-port=0", "--window-size=900,700", $"--user-data-dir={profile.Path}", "about:blank",
        ])
        { RedirectStandardError = true, RedirectStandardOutput = true };
        var page = new ChromiumPage(Process.Start(start)!, profile);
        page._browser.BeginErrorReadLine();
        page._browser.BeginOutputReadLine();
        try
        {
            await page.Connect();
            await page.Call("Page.enable");
            await page.Call("Page.navigate", new JsonObject { ["url"] = address.ToString() });
            await page.WaitUntil(isReady);
            return page;
        }
        catch
        {
            await page.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Waits until an expression is true; one that fails is not true yet, for a page that is still
    /// loading has few elements.
    /// </summary>
    public async Task WaitUntil(string expression)
    {
        var watch = Stopwatch.StartNew();
        JsonNode result = await Run($"Boolean({expression})");
        while (result["result"]?["value"] is not JsonValue value || !value.TryGetValue(out bool isTrue) || !isTrue)
        {
            Assert.That(watch.Elapsed, Is.LessThan(Patience), $"waiting for {expression}: {result.ToJsonString()}");
            await Task.Delay(50, _end.Token);
            result = await Run($"Boolean({expression})");
        }
    }

    /// <summary>The value of an expression.</summary>
    public async Task<JsonNode?> Evaluate(string expression)
    {
        JsonNode result = await Run(expression);
        Assert.That(result["exceptionDetails"], Is.Null, $"{expression}: {result["exceptionDetails"]?.ToJsonString()}");
        return result["result"]?["value"];
    }

    /// <summary>Draws with the left button down from point to point, in the page's pixels.</summary>
    public async Task Draw(IReadOnlyList<(double X, double Y)> points)
    {
        await Mouse("mousePressed", points[0]);
        foreach ((double X, double Y) point in points.Skip(1))
        {
            await Mouse("mouseMoved", point);
        }
        await Mouse("mouseReleased", points[^1]);
    }

    /// <summary>Clicks on the middle of an element.</summary>
    public async Task Click(string selector)
    {
        (double x, double y, double width, double height) = await Box(selector);
        await Draw([(x + (width / 2), y + (height / 2))]);
    }

    /// <summary>Where an element is.</summary>
    public async Task<(double X, double Y, double Width, double Height)> Box(string selector)
    {
        JsonNode box = (await Evaluate(
            $"(({{ x, y, width, height }}) => [x, y, width, height])(document.querySelector('{selector}').getBoundingClientRect())"))!;
        return (box[0]!.GetValue<double>(), box[1]!.GetValue<double>(), box[2]!.GetValue<double>(), box[3]!.GetValue<double>());
    }

    /// <summary>A picture of the page as PNG.</summary>
    public async Task<byte[]> Screenshot() =>
        Convert.FromBase64String((await Call("Page.captureScreenshot"))["data"]!.GetValue<string>());

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _end.Dispose();
        if (!_browser.HasExited)
        {
            _browser.Kill(entireProcessTree: true);
            await _browser.WaitForExitAsync();
        }
        _browser.Dispose();
        for (int i = 0; Directory.Exists(_profile.Path) && i < 20; i++)
        {
            try
            {
                _profile.Dispose();
            }
            catch (IOException)
            {
                await Task.Delay(100); // its last process may still write
            }
        }
    }

    private Task<JsonNode> Run(string expression) => Call("Runtime.evaluate", new JsonObject
    {
        ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true,
    });

    private Task<JsonNode> Mouse(string type, (double X, double Y) at) => Call("Input.dispatchMouseEvent", new JsonObject
    {
        ["type"] = type, ["x"] = at.X, ["y"] = at.Y, ["button"] = "left", ["buttons"] = type == "mouseReleased" ? 0 : 1, ["clickCount"] = 1,
    });

    // The browser writes its port into its profile.
    private async Task Connect()
    {
        string file = _profile.Combine("DevToolsActivePort");
        var watch = Stopwatch.StartNew();
        string[] lines = [];
        while (lines.Length < 2)
        {
            Assert.That(watch.Elapsed, Is.LessThan(Patience), "Chromium does not start");
            Assert.That(_browser.HasExited, Is.False, "Chromium ends at once");
            await Task.Delay(50, _end.Token);
            lines = File.Exists(file) ? await File.ReadAllLinesAsync(file) : [];
        }
        using var client = new HttpClient();
        var list = new Uri($"http://127.0.0.1:{lines[0]}/json");
        JsonArray targets = JsonNode.Parse(await client.GetStringAsync(list, _end.Token))!.AsArray();
        string address = targets.First(t => t!["type"]!.GetValue<string>() == "page")!["webSocketDebuggerUrl"]!.GetValue<string>();
        await _socket.ConnectAsync(new Uri(address), _end.Token);
    }

    private async Task<JsonNode> Call(string method, JsonObject? parameters = null)
    {
        int id = ++_messages;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        await _socket.SendAsync(
            JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, endOfMessage: true, _end.Token);
        while (true)
        {
            JsonNode answer = await Receive();
            if (answer["id"]?.GetValue<int>() == id)
            {
                return answer["result"] ?? throw new InvalidOperationException($"{method}: {answer["error"]?.ToJsonString()}");
            }
        }
    }

    private async Task<JsonNode> Receive()
    {
        byte[] part = new byte[1 << 16];
        using var text = new MemoryStream();
        WebSocketReceiveResult received;
        do
        {
            received = await _socket.ReceiveAsync(part, _end.Token);
            text.Write(part, 0, received.Count);
        }
        while (!received.EndOfMessage);
        return JsonNode.Parse(Encoding.UTF8.GetString(text.ToArray()))!;
    }
}
