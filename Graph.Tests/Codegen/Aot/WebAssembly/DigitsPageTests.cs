using System.Globalization;
using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.Interop.Onnx;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>The sample page in a real browser: what is drawn with the mouse is read.</summary>
internal sealed class DigitsPageTests
{
    // Strokes in a field of 10 x 10, as people write.
    private static readonly (int Digit, (double X, double Y)[][] Strokes)[] Drawings =
    [
        (0, [[.. Enumerable.Range(0, 25).Select(i => (5 + (2.2 * Math.Sin(i * Math.PI / 12)), 5 - (3.2 * Math.Cos(i * Math.PI / 12))))]]),
        (1, [[(5.2, 1.8), (5, 5), (4.8, 8.2)]]),
        (2, [[(3, 3.4), (3.4, 2.2), (5, 1.7), (6.5, 2.3), (6.7, 3.7), (5.7, 5.3), (4, 6.9), (2.8, 8.1), (4.8, 8), (7.3, 8)]]),
        (3,
        [
            [
                (3, 2.4), (4.6, 1.7), (6.3, 2.3), (6.4, 3.7), (5.2, 4.7), (4.2, 4.9), (5.8, 5.1), (6.9, 6.3),
                (6.2, 7.8),
                (4.5, 8.3), (2.9, 7.6),
            ],
        ]),
        (4, [[(3.6, 1.9), (3.2, 4), (2.9, 5.4), (5, 5.4), (7.2, 5.2)], [(6.2, 2), (6, 5), (5.8, 8.3)]]),
        (7, [[(2.6, 2.2), (4.8, 2.1), (7.1, 2), (6.2, 4), (5.2, 6), (4.5, 8.2)]]),
    ];

    [Test]
    public async Task WhatIsDrawnIsRead()
    {
        NodeEngine.Require();
        using var folder = new TemporaryFolder();
        WritePage(folder);
        using var server = new FolderServer(folder.Path);
        await using ChromiumPage page = await ChromiumPage.Open(server.Address, "document.body.dataset.ready");
        (double left, double top, double width, _) = await page.Box("#canvas");
        Assert.That((await page.Evaluate("answer.textContent.trim()"))!.GetValue<string>(), Is.Empty, "nothing is drawn yet");
        foreach ((int digit, (double X, double Y)[][] strokes) in Drawings)
        {
            await page.Click("#clear");
            foreach ((double X, double Y)[] stroke in strokes)
            {
                await page.Draw([.. stroke.Select(p => (left + (p.X * width / 10), top + (p.Y * width / 10)))]);
            }
            string read = (await page.Evaluate("answer.textContent"))!.GetValue<string>();
            await Keep(page, digit);
            Assert.That(read, Is.EqualTo(digit.ToString(CultureInfo.InvariantCulture)), $"a drawn {digit}");
        }
        double sum = (await page.Evaluate(
            "[...document.querySelectorAll('#bars li')]"
                + ".reduce((sum, row) => sum + Number(row.style.getPropertyValue('--p')), 0)"))!.GetValue<double>();
        Assert.That(sum, Is.EqualTo(1).Within(0.01), "the bars show probabilities");
        Assert.That(
            (await page.Evaluate(
                "performance.getEntriesByType('resource').map(r => r.name.replace(/.*\\//, '')).join()"))!
                .GetValue<string>(),
            Does.Contain("digits.simd.wasm"), "a browser with vectors takes the module with vectors");
    }

    private static void WritePage(TemporaryFolder folder)
    {
        foreach (string file in (string[])["index.html", "mnist.mjs"])
        {
            File.Copy(RepositoryRoot.Combine("tools", "samples", "DigitsWeb", file), folder.Combine(file));
        }
        var options = new OnnxImportOptions { Dims = new Dictionary<string, long> { ["batch"] = 1 } };
        Module module = OnnxImporter.Import(RepositoryRoot.Combine("tools", "cli", "demo", "digits.onnx"), options).Module;
        WasmFiles.Write(
            module, folder.Combine("digits.wasm"), [LlvmTarget.Wasm32, LlvmTarget.Wasm32Simd]);
    }

    // For people: pictures of the page with each drawing.
    private static async Task Keep(ChromiumPage page, int digit)
    {
        if (Environment.GetEnvironmentVariable("GRAPHENE_SCREENSHOTS") is { Length: > 0 } folder)
        {
            string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"digit{digit}.png"));
            await File.WriteAllBytesAsync(path, await page.Screenshot());
        }
    }
}
