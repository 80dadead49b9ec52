using Graphene.Tests.Codegen.Aot;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>The page of the sample DigitsService in a browser: what is drawn is read.</summary>
internal sealed class DigitsPageTests
{
    [Test]
    public async Task DrawnDigitsAreRead()
    {
        await using DigitsServer server = await new DigitsServer().StartAsync();
        await using ChromiumPage page = await ChromiumPage.Open(
            server.Client.BaseAddress!, "document.getElementById('model').textContent.includes('version')");
        var strokes = new Dictionary<string, (double X, double Y)[]>
        {
            ["1"] = [(0.5, 0.2), (0.5, 0.8)],
            ["7"] = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)],
            ["0"] =
            [
                .. Enumerable.Range(0, 33).Select(i => i * Math.Tau / 32)
                    .Select(a => (0.5 + (0.2 * Math.Sin(a)), 0.5 - (0.3 * Math.Cos(a)))),
            ],
        };
        (double left, double top, double width, double height) = await page.Box("#pad");

        foreach ((string digit, (double X, double Y)[] stroke) in strokes)
        {
            await page.Click("#clear");
            await page.Draw([.. stroke.Select(p => (left + (p.X * width), top + (p.Y * height)))]);
            await page.WaitUntil("document.getElementById('sure').textContent !== ''");

            Assert.That((await page.Evaluate("document.getElementById('digit').textContent"))!.GetValue<string>(), Is.EqualTo(digit));
            Assert.That((await page.Evaluate("document.querySelectorAll('li.best').length"))!.GetValue<int>(), Is.EqualTo(1));
        }
        if (Environment.GetEnvironmentVariable("GRAPHENE_SCREENSHOT") is { } path)
        {
            await File.WriteAllBytesAsync(path, await page.Screenshot());
        }
        Assert.That(
            (await page.Evaluate("document.getElementById('model').textContent"))!.GetValue<string>(),
            Does.Contain(server.Model.Version!.ShortHash));
    }
}
